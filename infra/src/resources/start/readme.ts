import { hostsOf } from "../../names.ts";
import type { Plan } from "../../plan.ts";
import { secretEntries } from "./secret-entries.ts";
import { hasRoutes } from "../kubernetes/platform.ts";
import { stacksStage } from "../stacks-stage/stacks-stage.ts";
import { stageFolder, type Stage } from "../terraform-state.ts";
import { copiesArtifacts } from "./copy-script.ts";
import { stagesOf } from "./makefile.ts";
import { localSecrets } from "./secret-script.ts";

/** `README.md`: what this folder is, and how a person makes a platform of it. */
export function readme(plan: Plan): string {
  const { environment, prefix } = plan;
  const sections = [
    [
      `# ${prefix}`,
      "",
      `The environment ${environment.name} of the platform ${environment.platform}, on ${TARGETS[environment.target.kind]}. Owner: ${environment.owner}.`,
      "",
      "These files are made from `plinth.config.ts`. To change the platform, change that file and run",
      "",
      ...shell(`npx plinth diff ${environment.name}`, `npx plinth synth ${environment.name}`),
      "",
      "then review and commit what changed. `npx plinth explain FILE` says which setting a file comes from. Files that were",
      "edited by hand are not overwritten silently.",
    ],
    contents(plan),
    before(plan),
    first(plan),
    handOver(plan),
    secrets(plan),
    running(plan),
    limits(plan),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

const TARGETS = {
  civo: "Civo",
  gcp: "Google Cloud",
  kubernetes: "a Kubernetes cluster that exists",
} as const;

const shell = (...commands: readonly string[]): string[] => ["```bash", ...commands, "```"];

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string[] => [
  `| ${head.join(" | ")} |`,
  `| ${head.map(() => "---").join(" | ")} |`,
  ...rows.map((row) => `| ${row.join(" | ")} |`),
];

function contents({ environment, pipelines }: Plan): string[] {
  const { tracking, serving, objectStore } = environment;
  const hosts = hostsOf(environment);
  const address = (kind: string, host: string): string =>
    kind === "cluster" ? "within the cluster" : `https://${host}`;
  return [
    "## What is in it",
    "",
    ...table(
      ["part", "engine", "state in", "reached at"],
      [
        [
          "tracking and registry",
          tracking.engine,
          `${tracking.database.engine}, ${objectStore.engine}`,
          address(tracking.exposure.kind, hosts.tracking),
        ],
        ...(environment.pipelines.engine === "none" || pipelines === undefined
          ? []
          : [
              [
                "pipelines",
                `${environment.pipelines.engine} ${environment.pipelines.version}`,
                environment.pipelines.database.engine,
                address(environment.pipelines.exposure.kind, hosts.pipelines),
              ],
            ]),
        ...(serving.engine === "none"
          ? []
          : [
              [
                "model serving",
                `${serving.engine}, ${serving.mode}`,
                objectStore.engine,
                address(serving.exposure.kind, hosts.models),
              ],
            ]),
      ],
    ),
    "",
    ...table(
      ["folder", "what"],
      [
        ["`terraform/`", "what is outside of the cluster, and what must be in it before Argo CD"],
        ["`k8s-manifests/base/`", "manifests that all environments share"],
        [`\`k8s-manifests/overlays/${environment.name}/\``, "what is this environment's own"],
        ["`k8s-manifests/argocd-apps/`", "the Applications, in the order of their sync waves"],
      ],
    ),
  ];
}

function before(plan: Plan): string[] {
  const { stateBackend, target } = plan.environment;
  const tools = [
    "terraform 1.11 or newer",
    "kubectl",
    ...(target.kind === "civo" ? ["civo (the command-line tool)"] : []),
    ...(target.kind === "gcp" ? ["gcloud with gke-gcloud-auth-plugin"] : []),
    ...(plan.environment.secrets.engine === "sealed" ? ["kubeseal"] : []),
    ...(copiesArtifacts(plan) ? ["rclone, jq"] : []),
  ];
  return [
    "## Before the first time",
    "",
    `Tools: ${tools.join(", ")}.`,
    ...(target.kind === "civo" ? ["", "`CIVO_TOKEN` holds the API key of the account."] : []),
    ...(target.kind === "gcp"
      ? ["", "`gcloud auth application-default login` gives Terraform its access."]
      : []),
    "",
    ...stateCommands(stateBackend, target),
  ];
}

function stateCommands(
  backend: Plan["environment"]["stateBackend"],
  target: Plan["environment"]["target"],
): string[] {
  switch (backend.kind) {
    case "gcs":
      return [
        "The bucket of the Terraform state, once:",
        "",
        ...shell(
          `gcloud storage buckets create gs://${backend.bucket} ${target.kind === "gcp" ? `--project=${target.project} --location=${target.region} ` : ""}--uniform-bucket-level-access --public-access-prevention`,
          `gcloud storage buckets update gs://${backend.bucket} --versioning`,
        ),
      ];
    case "s3":
      if (backend.endpoint?.endsWith(".civo.com") !== true) {
        return [
          `The bucket of the Terraform state, ${backend.bucket}, must exist, with versioning. Its keys are in`,
          "`AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.",
        ];
      }
      return [
        "The bucket of the Terraform state and its keys, once. The last command prints lines to paste:",
        "",
        ...shell(
          `civo objectstore credential create ${backend.bucket} --region ${backend.region}`,
          `civo objectstore create ${backend.bucket} --owner-name ${backend.bucket} --region ${backend.region}`,
          `civo objectstore credential export --access-key=ACCESS_KEY_ID --region ${backend.region}`,
        ),
      ];
    case "kubernetes":
      return [
        "The namespace of the Terraform state, once, and where Terraform finds the cluster of it:",
        "",
        ...shell(
          `kubectl --context "$KUBE_CONTEXT" create namespace ${backend.namespace}`,
          "export KUBE_CONFIG_PATH=~/.kube/config",
        ),
      ];
    case "local":
      return ["The Terraform state lies in the folders of the stages, on this machine alone: keep a copy."];
  }
}

function first(plan: Plan): string[] {
  const { target, secrets: settings } = plan.environment;
  const steps: string[] = [];
  const step = (text: string, ...commands: readonly string[]): void => {
    steps.push(`${steps.length === 0 ? "" : "\n"}${text}`, "", ...shell(...commands));
  };
  if (target.kind === "kubernetes") step("Name the cluster:", "export KUBE_CONTEXT=NAME-OF-THE-CONTEXT");
  for (const stage of stagesOf(plan)) {
    if (stage === "platform" && localSecrets(plan).length > 0 && settings.engine === "plain") {
      step("Secrets that nobody needs to know are made up, the others are asked for:", "make secrets");
    }
    if (stage === "stacks" && asksForTrackingToken(plan))
      step(beforeTracking(plan), ...trackingCommands(plan));
    if (stage === "stacks") step(BEFORE_STACKS, ...stackCommands(plan));
    step(aboutOf(plan, stage), `make plan-${stage}`, `make apply-${stage}`);
    if (stage === "cluster") step("Access to the cluster:", "make kubeconfig");
    if (stage === "cluster" && hasRoutes(plan)) {
      step(
        "The name servers that the parent zone of the domain, or its registrar, is to name for it:",
        `terraform -chdir=${stageFolder(stage)} output name_servers`,
      );
    }
    if (stage === "platform" && localSecrets(plan).length > 0 && settings.engine === "sealed") {
      step(
        "Secrets are sealed once the controller runs; committed, Argo CD brings them into the cluster:",
        "make seal",
        "git add k8s-manifests/sealed-secrets",
        'git commit --message "Seal the secrets"',
        "git push",
      );
    }
    if (stage === "platform") step("Argo CD does the rest. To see how far it is:", "make gitops-status");
  }
  return [
    "## The first time, in this order",
    "",
    "Commit these files first: Argo CD reads them from Git.",
    "",
    ...steps,
  ];
}

function aboutOf(plan: Plan, stage: Stage): string {
  switch (stage) {
    case "cluster":
      return "Stage 1, what is outside of the cluster, and the cluster:";
    case "platform":
      return `Stage 2, Argo CD and the App of Apps. For a private repository ${
        plan.environment.gitOps.repository.startsWith("git@")
          ? "`TF_VAR_repository_ssh_key` holds a deploy key"
          : "`TF_VAR_repository_username` and `TF_VAR_repository_password` hold a token"
      }:`;
    case "stacks":
      return "Stage 3, stacks:";
  }
}

const beforeTracking = ({ environment }: Plan): string =>
  `A service account of Plinth that steps log with${
    environment.tracking.exposure.kind === "cluster"
      ? ", with `make port-forward-tracking` in another terminal"
      : ""
  }. \`make plinth-credentials\` prints the password of \`admin\`; the last command prints the key, \`tracking_token\` below:`;

const asksForTrackingToken = (plan: Plan): boolean =>
  stacksStage(plan).some((made) => made.kind === "terraform" && made.block.labels[0] === "tracking_token");

function trackingCommands({ environment, tracking }: Plan): string[] {
  const address =
    environment.tracking.exposure.kind === "cluster" ? "http://127.0.0.1:5000" : `https://${tracking.host}`;
  return [
    `plinth login ${address} --username admin`,
    "plinth service-account create zenml",
    "plinth role assign zenml editor",
    "plinth key create zenml --for zenml",
  ];
}

const BEFORE_STACKS =
  "Once ZenML's server answers: an API key for Terraform, which the second command prints, and what the stacks need:";

/** What stage stacks asks for; secrets without a trace in the history of the shell. */
function stackCommands(plan: Plan): string[] {
  const variables = stacksStage(plan).flatMap((made) =>
    made.kind === "terraform" && made.block.type === "variable"
      ? [{ name: made.block.labels[0] ?? "", body: made.block.body }]
      : [],
  );
  const address = variables.find(({ name }) => name === "server_url")?.body["default"];
  // The Makefile sets the context.
  const asked = variables.filter(({ name, body }) => !("default" in body) && name !== "kube_context");
  const isSecret = ({ body }: (typeof variables)[number]): boolean => body["sensitive"] === true;
  return [
    `zenml login ${String(address)}`,
    "zenml service-account create terraform",
    ...["ZENML_API_KEY", ...asked.filter(isSecret).map(({ name }) => `TF_VAR_${name}`)].map(
      (name) => `read -rsp '${name}: ' ${name} && export ${name}`,
    ),
    ...asked.filter((one) => !isSecret(one)).map(({ name }) => `export TF_VAR_${name}=VALUE`),
  ];
}

function handOver(plan: Plan): string[] {
  const stages = stagesOf(plan);
  if (stages.length < 2) return [];
  const rows: string[][] = [];
  if (stages.includes("cluster")) {
    rows.push([
      "`cluster`",
      "the cluster, networks, databases, buckets",
      "outputs in its state, which `platform` and `stacks` read",
    ]);
  }
  rows.push([
    "`platform`",
    "Argo CD, the App of Apps, Secrets that only Terraform knows",
    "Git: Argo CD applies the rest",
  ]);
  if (stages.includes("stacks")) {
    rows.push([
      "`stacks`",
      "connectors, components and stacks in ZenML's server",
      "the server, by its API key",
    ]);
  }
  return [
    "## Stages",
    "",
    `Each folder of \`terraform/\` is a root of its own with a state of its own, applied in this order and destroyed in the other: ${stages.map((stage) => `\`${stageFolder(stage)}\``).join(", ")}.`,
    "",
    ...table(["stage", "makes", "hands over by"], rows),
  ];
}

function secrets(plan: Plan): string[] {
  const entries = secretEntries(plan);
  if (entries.length === 0) return [];
  return [
    "## What is put into the secret store by hand",
    "",
    "None of these values is in Git, and no command here leaves one in the history of the shell.",
    "",
    ...entries.flatMap(({ title, commands }, at) => [
      ...(at === 0 ? [] : [""]),
      `${title}:`,
      "",
      ...shell(...commands),
    ]),
  ];
}

const running = (plan: Plan): string[] => [
  "## Every day",
  "",
  ...shell("make help", "make validate", "make port-forward-argocd"),
  "",
  plan.environment.secrets.engine === "plain"
    ? "A Secret is made anew with `kubectl delete secret` and `make secrets`; the pods that use it are restarted after that.\nNot so keys that data is encrypted with: what was encrypted is lost with them."
    : "What is changed in the cluster by hand is taken back by Argo CD: change `plinth.config.ts`.",
];

function limits(plan: Plan): string[] {
  const { target, backup, tracking, pipelines } = plan.environment;
  if (target.kind !== "civo") return [];
  const managed =
    tracking.database.engine === "civo-database" ||
    (pipelines.engine !== "none" && pipelines.database.engine === "civo-database");
  const points = [
    ...(managed
      ? [
          "Databases that Civo manages are backed up by Civo, in their region. Civo's Terraform provider has no setting for it: see the dashboard, and try a restore.",
          "A new version or size of such a database is a new database: Terraform plans the change and Civo does not make it.",
        ]
      : []),
    ...(copiesArtifacts(plan)
      ? [
          `Civo copies no bucket to another region. \`make copy-artifacts\` copies artifacts to ${target.backupRegion}: run it on a schedule. What came after its last run is lost with the region.`,
          "Models are in one region: register them from artifacts again, or copy their bucket the same way.",
        ]
      : ["Everything is in one region: with it, all is lost that is nowhere else."]),
    ...(backup.enabled ? [] : ["There are no backups."]),
    ...(target.cluster.gpuPools.length === 0
      ? []
      : ["Nodes with accelerators need NVIDIA's device plugin, which Civo's images do not all bring."]),
  ];
  return ["## What it does not do", "", ...points.map((point) => `- ${point}`)];
}
