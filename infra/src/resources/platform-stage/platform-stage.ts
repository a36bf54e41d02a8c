import { namespaces } from "../../names.ts";
import type { Plan } from "../../plan.ts";
import { applicationsFolder, argoCdValuesFile } from "../kubernetes/argocd.ts";
import { call, ref, template, type Resource } from "../resource.ts";
import {
  commented,
  extended,
  noted,
  output,
  resource,
  terraformFile,
  variable,
  type Draft,
} from "../terraform-block.ts";
import {
  backendResource,
  hasClusterStage,
  remoteState,
  stageFolder,
  versionsResource,
} from "../terraform-state.ts";
import { charts } from "../versions.ts";
import { databaseSetup } from "./database-setup.ts";
import { databaseServices } from "./databases.ts";
import { clusterProviders } from "./providers.ts";
import { ADOPTED, earlyNamespaces, platformSecrets } from "./secrets.ts";

/** Name of the Helm release, the beginning of the names of its Services. */
export const argoCdRelease = "argocd";

const folder = stageFolder("platform");

/** From the root of this stage to a file of the output. */
const outside = (file: string) => call("file", template`${ref("path.module")}/../../${file}`);

/** Stage 2: Argo CD with the App of Apps, and the Secrets that only Terraform knows. The rest comes from Git. */
export function platformStage(plan: Plan): Resource[] {
  const { environment } = plan;
  return [
    versionsResource(environment, folder, ["helm", "kubectl", "kubernetes"]),
    backendResource(environment, "platform"),
    ...clusterProviders(plan),
    ...(hasClusterStage(environment) ? [remoteState(environment, "cluster", "platform")] : []),
    ...argoCd(plan),
    ...platformSecrets(plan),
    ...databaseServices(plan),
    ...databaseSetup(plan),
    ...repository(plan),
    ...outputs(plan),
  ];
}

function argoCd(plan: Plan): Resource[] {
  const { name, repository: from, version } = charts["argo-cd"];
  const because = [
    { setting: "gitOps.repository", why: "Argo CD keeps the cluster as the repository says." },
  ];
  const early = earlyNamespaces(plan).length > 0;
  return terraformFile(`${folder}/main.tf`, because, [
    resource("kubernetes_namespace_v1", "argocd", { metadata: { name: namespaces.argoCd }, ...ADOPTED }),
    commented(
      noted(
        resource("helm_release", "argocd", {
          name: argoCdRelease,
          namespace: ref("kubernetes_namespace_v1.argocd.metadata[0].name"),
          repository: from,
          chart: name,
          version,
          values: [outside(argoCdValuesFile)],
          atomic: true,
          cleanup_on_fail: true,
          max_history: 5,
          timeout: 600,
        }),
        { atomic: "A release that does not come up is taken back." },
      ),
      "Argo CD, with its custom resources.",
    ),
    {
      type: "data",
      labels: ["kubectl_file_documents", "mlops_stack"],
      body: { content: outside(`${applicationsFolder}/mlops-stack-app.yaml`) },
    },
    commented(
      noted(
        resource("kubectl_manifest", "mlops_stack", {
          for_each: ref("data.kubectl_file_documents.mlops_stack.manifests"),
          yaml_body: ref("each.value"),
          server_side_apply: true,
          force_conflicts: true,
          depends_on: [
            ref("helm_release.argocd"),
            ref("kubernetes_secret_v1.repository"),
            ...(early ? [ref("kubernetes_namespace_v1.component")] : []),
          ],
        }),
        { force_conflicts: "`make gitops-deploy-mlops-stack` applies the same file." },
      ),
      "The App of Apps and its project. kubectl_manifest plans them before their kinds exist, which\nkubernetes_manifest does not: so one apply is enough.",
    ),
  ]);
}

/** `repository.tf`: what Argo CD reads Git with. */
function repository({ environment }: Plan): Resource[] {
  const { repository: url } = environment.gitOps;
  const isSsh = url.startsWith("git@");
  const because = [{ setting: "gitOps.repository", why: `Argo CD reads ${url}.` }];
  const secret: Draft = commented(
    resource("kubernetes_secret_v1", "repository", {
      data_wo: {
        type: "git",
        url,
        ...(isSsh
          ? { sshPrivateKey: ref("var.repository_ssh_key") }
          : { username: ref("var.repository_username"), password: ref("var.repository_password") }),
      },
      data_wo_revision: ref("var.repository_credential_revision"),
      metadata: {
        name: "repository",
        namespace: ref("kubernetes_namespace_v1.argocd.metadata[0].name"),
        labels: { "argocd.argoproj.io/secret-type": "repository" },
      },
    }),
    isSsh
      ? "A deploy key with the right to read is enough."
      : "A token with the right to read is enough; a public repository needs none, and both stay empty.",
  );
  return [
    ...terraformFile(`${folder}/repository.tf`, because, [secret]),
    ...terraformFile(`${folder}/variables.tf`, because, [
      ...(isSsh
        ? [ephemeral("repository_ssh_key", "Private deploy key of the repository, in PEM.")]
        : [
            extended(variable("repository_username", "string", "User name that goes with the token."), {
              default: "",
            }),
            ephemeral("repository_password", "Token that reads the repository."),
          ]),
      extended(
        variable(
          "repository_credential_revision",
          "number",
          "Raise it by one to have a new credential written.",
        ),
        { default: 1 },
      ),
    ]),
  ];
}

/** Never in the state and in no plan file. Empty unless it is written anew. */
const ephemeral = (name: string, description: string): Draft =>
  extended(variable(name, "string", description), { default: "", sensitive: true, ephemeral: true });

function outputs({ environment }: Plan): Resource[] {
  const { argoCd: namespace } = namespaces;
  const because = [{ setting: "gitOps.repository", why: "How to look at Argo CD." }];
  return terraformFile(`${folder}/outputs.tf`, because, [
    output(
      "argocd_command",
      `kubectl --namespace ${namespace} port-forward service/${argoCdRelease}-server 8443:443`,
      `Shows Argo CD of ${environment.name} at https://localhost:8443.`,
    ),
    output(
      "argocd_password_command",
      `kubectl --namespace ${namespace} get secret argocd-initial-admin-secret --output jsonpath='{.data.password}' | base64 --decode`,
      "Prints the first password of the user admin.",
    ),
  ]);
}
