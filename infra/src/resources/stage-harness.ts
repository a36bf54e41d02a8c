import { dirname } from "node:path";
import { parseHcl } from "../hcl/parse.ts";
import type { TerraformModule } from "../lint/workspace.ts";
import { planOf, type Plan } from "../plan.ts";
import { printFiles } from "../print/files.ts";
import { printTerraform } from "../print/hcl.ts";
import { merge, type JsonObject } from "../spec/merge.ts";
import { resolveEnvironment } from "../spec/resolve.ts";
import { resourcesOf, type OutputFile } from "../synth.ts";
import { Call, Expression, type Resource, type TerraformBody, type TerraformResource } from "./resource.ts";

/** Environments that the tests of the Terraform stages print and look at. */

const base: JsonObject = {
  name: "acme",
  owner: "ml",
  domain: "mlops.example.com",
  gitOps: { repository: "https://github.com/acme/mlops" },
  gateway: { contact: "ops@example.com" },
  pipelines: { engine: "zenml" },
};
const civo: JsonObject = {
  ...base,
  target: { kind: "civo", region: "LON1", adminCidrs: ["203.0.113.0/24"] },
  tracking: { image: "ghcr.io/acme/plinth:0.1.0" },
};
const login = { kind: "gateway-login", users: { secret: "visitors" } };

type Situation = [title: string, environment: string, settings: JsonObject];

export const situations: readonly Situation[] = [
  ["Civo, nothing exposed", "dev", civo],
  [
    "Civo, second region, managed databases, accelerators, visitors",
    "prod",
    merge(civo, {
      gitOps: { repository: "git@github.com:acme/mlops.git", path: "clusters/{environment}" },
      target: { backupRegion: "FRA1", cluster: { gpuPools: [{ name: "a100", size: "an.g1.l40s.kube.x1" }] } },
      tracking: {
        exposure: { kind: "public" },
        database: { engine: "civo-database", dialect: "postgresql" },
      },
      pipelines: { exposure: login, activation: {} },
      serving: { engine: "kserve" },
    }),
  ],
  [
    "Civo, visitors from known networks alone, databases in the cluster, copies elsewhere",
    "prod",
    merge(civo, {
      target: { backupRegion: "FRA1" },
      tracking: { exposure: { kind: "networks", cidrs: ["198.51.100.0/24", "192.0.2.0/24"] } },
      pipelines: { engine: "zenml", database: { engine: "kubeblocks" } },
      stateBackend: { kind: "local" },
      tier: "development",
      backup: { enabled: true },
    }),
  ],
  [
    "Google Cloud",
    "prod",
    merge(base, {
      target: { kind: "gcp", project: "acme-mlops", region: "europe-west1" },
      pipelines: { exposure: { kind: "public" }, activation: {} },
    }),
  ],
  [
    "a cluster that exists, MinIO",
    "dev",
    merge(base, {
      target: { kind: "kubernetes" },
      tracking: { engine: "mlflow" },
      objectStore: { engine: "minio", image: "ghcr.io/acme/minio:1.0.0" },
      serving: { engine: "kserve" },
    }),
  ],
  [
    "a cluster that exists, somebody else's database and bucket, a secret store",
    "staging",
    merge(base, {
      target: { kind: "kubernetes" },
      tracking: {
        image: "ghcr.io/acme/plinth:0.1.0",
        database: {
          engine: "external",
          dialect: "postgresql",
          host: "db.example.com",
          port: 5432,
          name: "plinth",
          user: "plinth",
          password: { secret: "tracking-db" },
        },
      },
      pipelines: { engine: "none" },
      objectStore: {
        engine: "s3",
        endpoint: "https://s3.example.com",
        credentials: { secret: "bucket" },
        buckets: { artifacts: "acme-artifacts", models: "acme-models", backups: "acme-backups" },
      },
      secrets: { engine: "external-secrets", store: { kind: "existing", name: "vault" } },
    }),
  ],
];

export function planFor(environment: string, settings: JsonObject): Plan {
  const resolved = resolveEnvironment({ ...settings, environments: { [environment]: {} } }, environment);
  if (resolved.environment === undefined) throw new Error(JSON.stringify(resolved.problems));
  return planOf(resolved.environment);
}

const found = (title: string): Situation => {
  const one = situations.find(([of]) => of.includes(title));
  if (one === undefined) throw new Error(`no situation ${title}`);
  return one;
};

/** The settings of a situation by a part of its title. */
export const settingsOf = (title: string): JsonObject => found(title)[2];

/** The plan of a situation by a part of its title. */
export function situation(title: string): Plan {
  const [, environment, settings] = found(title);
  return planFor(environment, settings);
}

export const terraformOf = (resources: readonly Resource[]): TerraformResource[] =>
  resources.filter((resource): resource is TerraformResource => resource.kind === "terraform");

/** Everything of an environment as files. */
export const filesOf = (plan: Plan): OutputFile[] => printFiles(resourcesOf(plan.environment));

/** The Terraform modules of a stage, parsed again from what is printed. */
export function modulesOf(resources: readonly Resource[]): TerraformModule[] {
  const modules = new Map<string, TerraformModule>();
  for (const [file, blocks] of Map.groupBy(terraformOf(resources), (resource) => resource.file)) {
    const folder = dirname(file);
    const module = modules.get(folder) ?? { folder, excerpt: false, files: [], variables: [] };
    module.files.push({ file, body: parseHcl(printTerraform(blocks)) });
    modules.set(folder, module);
  }
  return [...modules.values()];
}

/** Bodies of the blocks of a kind by their last label: `resource civo_firewall`, `output`. */
export function bodiesOf(resources: readonly Resource[], kind: string): Map<string, TerraformBody> {
  return new Map(
    terraformOf(resources)
      .filter(({ block }) => [block.type, ...block.labels.slice(0, -1)].join(" ") === kind)
      .map(({ block }) => [block.labels.at(-1) ?? "", block.body]),
  );
}

/** Values as the text of their expressions, to compare them. */
export const shown = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    part instanceof Expression
      ? part.text
      : part instanceof Call
        ? `${part.name}(${part.values.map(shown).join(", ")})`
        : part,
  ) ?? "";
