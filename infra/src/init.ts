/** What `plinth init` asks, and the configuration it writes. */

export const targets = ["civo", "gcp", "kubernetes"] as const;
export type TargetKind = (typeof targets)[number];

export type Answers = {
  target: TargetKind;
  name: string;
  owner: string;
  domain: string;
  repository: string;
  contact: string;
  /** Project of Google Cloud. */
  project: string;
  region: string;
  /** Where the image of Plinth is; Google Cloud's registry is known. */
  registry: string;
  pipelines: boolean;
  serving: boolean;
};

/** What is taken without asking: a configuration that passes its checks, with names to change. */
export const defaultAnswers = (target: TargetKind): Answers => ({
  target,
  name: "mlops",
  owner: "ml-platform",
  domain: "mlops.example.com",
  repository: "https://git.example.com/ml-platform/deploy.git",
  contact: "ml-platform@example.com",
  project: "example-mlops",
  region: target === "gcp" ? "europe-west1" : "LON1",
  registry: "registry.example.com/ml-platform",
  pipelines: true,
  serving: true,
});

/** The text of a commented `plinth.config.ts`. */
export function configurationText(answers: Answers): string {
  const quote = (value: string): string => JSON.stringify(value);
  return `// The platform as one file. \`plinth check\` says what is wrong with it, \`plinth synth <environment>\` writes
// Terraform, Kustomize and Argo CD from it, \`plinth config show <environment>\` shows every setting with its default.
import type { Platform } from "@plinth/infra";

export default {
  // Begins the name of everything that is made.
  name: ${quote(answers.name)},
  // The team that answers for it: a label of everything.
  owner: ${quote(answers.owner)},
  // Components get hosts below it: tracking.${answers.domain}.
  domain: ${quote(answers.domain)},

${targetText(answers)}
  // Where the output is committed; Argo CD reads it there.
  gitOps: {
    repository: ${quote(answers.repository)},
    revision: "main",
    path: "deploy/{environment}",
  },

  // Certificates come from Let's Encrypt, which writes to this address before one runs out.
  gateway: { contact: ${quote(answers.contact)} },

  // Experiment tracking and model registry: "plinth", or "mlflow" for upstream's own server.
${trackingText(answers)}
${pipelinesText(answers)}
${servingText(answers)}
${storeText(answers)}  // Each environment is the settings above, with what it changes.
  environments: {
    // The name says how much depends on it (tier): development is small, and nothing of it is backed up.
    dev: {${environmentText(answers, "dev")}
    },
    // Backed up, and policies only report.
    staging: {${environmentText(answers, "staging")}
    },
    // Two replicas, databases that survive a node, backups, policies that deny.
    prod: {${answers.target === "kubernetes" ? bucketsOf(answers, "prod") : ""}},
  },
} satisfies Platform;
`;
}

function targetText(answers: Answers): string {
  const { target, project, region } = answers;
  if (target === "gcp") {
    return `  target: {
    kind: "gcp",
    project: ${JSON.stringify(project)},
    region: ${JSON.stringify(region)},
    // A second region for backups and copies:
    // backupRegion: "europe-west4",
    // Who may reach the Kubernetes API by its address. Google's DNS endpoint works without.
    // authorizedNetworks: [{ name: "office", cidr: "203.0.113.0/24" }],
    // Nodes with accelerators, which models ask for by name:
    // cluster: { gpuPools: [{ name: "l4", accelerator: "nvidia-l4" }] },
  },
`;
  }
  if (target === "civo") {
    return `  target: {
    kind: "civo",
    region: ${JSON.stringify(region)},
    // Who may reach the Kubernetes API: your own network, not the world.
    adminCidrs: ["203.0.113.0/24"],
    cluster: { size: "g4s.kube.medium", nodes: 3 },
  },
`;
  }
  return `  // A cluster that is there already.
  target: {
    kind: "kubernetes",
    storageClass: "standard",
  },
`;
}

/** What an environment beside production has of its own: a domain, and what only one can have. */
function environmentText(answers: Answers, environment: string): string {
  const domain = `
      domain: ${JSON.stringify(`${environment}.${answers.domain}`)},`;
  if (answers.target === "gcp") {
    return `${domain}
      target: { project: ${JSON.stringify(`${answers.project}-${environment}`)} },`;
  }
  return answers.target === "kubernetes" ? domain + bucketsOf(answers, environment) : domain;
}

const bucketsOf = ({ name }: Answers, environment: string): string => {
  const [artifacts, models, backups] = ["artifacts", "models", "backups"].map((kind) =>
    JSON.stringify(`${name}-${environment}-${kind}`),
  );
  return `
      objectStore: {
        buckets: { artifacts: ${artifacts}, models: ${models}, backups: ${backups} },
      },${environment === "prod" ? "\n    " : ""}`;
};

function trackingText({ target, registry }: Answers): string {
  // Google's registry is made with the rest, and its address is the default.
  const image =
    target === "gcp"
      ? ""
      : `
    // Built from the Dockerfile of Plinth and pushed to your registry.
    image: ${JSON.stringify(`${registry}/plinth:0.1.0`)},`;
  return `  tracking: {
    engine: "plinth",${image}
    // Reached from within the cluster and by port-forward; { kind: "public" } for a host of its own behind its login.
    exposure: { kind: "cluster" },
  },
`;
}

const pipelinesText = ({ pipelines }: Answers): string =>
  pipelines
    ? `  // Pipelines: ZenML's own server, which needs MySQL.
  pipelines: {
    engine: "zenml",
    exposure: { kind: "public" },
    // The first administrator, with a password from the secret store: no visitor can claim the server.
    activation: { user: "admin" },
  },
`
    : `  // Pipelines: "zenml" for ZenML's own server.
  pipelines: { engine: "none" },
`;

const servingText = ({ serving }: Answers): string =>
  serving
    ? `  // Models as KServe InferenceServices, in Standard mode: no Knative, no Istio.
  serving: {
    engine: "kserve",
    mode: "standard",
    models: [
      // { name: "iris", format: "mlflow", storage: "iris/1" },
    ],
  },
`
    : `  // Serving: "kserve" for models as InferenceServices.
  serving: { engine: "none" },
`;

const storeText = ({ target }: Answers): string =>
  target === "kubernetes"
    ? `  // Artifacts, models and backups. The secret store holds access-key-id and secret-access-key under this name.
  objectStore: {
    engine: "s3",
    endpoint: "https://s3.example.com",
    region: "us-east-1",
    credentials: { secret: "object-store" },
  },

`
    : "";
