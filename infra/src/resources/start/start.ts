import type { Plan } from "../../plan.ts";
import type { Reason, Resource, TextResource } from "../resource.ts";
import { copiesArtifacts, copyScript } from "./copy-script.ts";
import { makefile } from "./makefile.ts";
import { readme } from "./readme.ts";
import { localSecrets, secretScript } from "./secret-script.ts";

/** What a person starts from: README, Makefile, scripts. */
export function startFiles(plan: Plan): Resource[] {
  const text = (file: string, content: string, because: readonly Reason[]): TextResource => ({
    kind: "text",
    file,
    text: content,
    because,
    ...(file.endsWith(".sh") ? { executable: true } : {}),
  });
  const always: Reason[] = [{ setting: "name", why: "Where a person starts." }];
  return [
    text("README.md", readme(plan), always),
    text("Makefile", makefile(plan), always),
    text(".gitignore", IGNORED, [
      { setting: "stateBackend", why: "State and plans hold credentials: they are not for Git." },
    ]),
    ...(localSecrets(plan).length === 0
      ? []
      : [
          text("scripts/secrets.sh", secretScript(plan), [
            { setting: "secrets.engine", why: "Secrets are made here, not by a secret store." },
          ]),
        ]),
    ...(copiesArtifacts(plan)
      ? [
          text("scripts/copy-artifacts.sh", copyScript(plan), [
            { setting: "target.backupRegion", why: "Civo copies no bucket by itself." },
          ]),
        ]
      : []),
  ];
}

const IGNORED = `# Terraform: modules and providers, state, plans. The lock files (.terraform.lock.hcl) belong into Git.
.terraform/
*.tfstate
*.tfstate.*
*.tfplan
crash.log
crash.*.log

# Values given to Terraform by hand may be credentials.
*.auto.tfvars
*.auto.tfvars.json

# Access to clusters
kubeconfig*
`;
