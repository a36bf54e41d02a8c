import { namespaces, prefixOf } from "../../names.ts";
import type { Plan } from "../../plan.ts";
import { adminSecretName } from "../../plan-secrets.ts";
import { applicationsFolder } from "../kubernetes/argocd.ts";
import { partsOf } from "../kubernetes/parts.ts";
import type { Part } from "../kubernetes/part.ts";
import { argoCdRelease } from "../platform-stage/platform-stage.ts";
import { zenmlLocalPort } from "../stacks-stage/stacks-stage.ts";
import { hasClusterStage, stageFolder, type Stage } from "../terraform-state.ts";
import { charts } from "../versions.ts";
import { kubeconfigPath } from "../civo/cluster.ts";
import { copiesArtifacts } from "./copy-script.ts";
import { localSecrets } from "./secret-script.ts";

/** A target of the Makefile. */
type Target = { name: string; help: string; lines: readonly string[]; needs?: string };

/** Stages of an environment, in their order. */
export const stagesOf = ({ environment }: Plan): Stage[] => [
  ...(hasClusterStage(environment) ? (["cluster"] as const) : []),
  "platform",
  ...(environment.pipelines.engine === "zenml" ? (["stacks"] as const) : []),
];

/** The commands that people run, each by a name: `make help` lists them. */
export function makefile(plan: Plan): string {
  const { environment } = plan;
  const groups: [string, Target[]][] = [
    ["Terraform", stagesOf(plan).flatMap(stageTargets)],
    ["Access", accessTargets(plan)],
    ["Secrets", secretTargets(plan)],
    ["GitOps", gitOpsTargets(plan)],
    ["Looking inside", lookingTargets(plan)],
    ["Checks", checkTargets(plan)],
  ];
  const written = groups.filter(([, targets]) => targets.length > 0);
  const names = written.flatMap(([, targets]) => targets.map(({ name }) => name));
  return [
    `# Commands for ${prefixOf(environment)}. \`make help\` lists them.`,
    "SHELL := /usr/bin/env bash",
    ".SHELLFLAGS := -eu -o pipefail -c",
    ".DEFAULT_GOAL := help",
    "MAKEFLAGS += --no-builtin-rules --warn-undefined-variables",
    "",
    ...variables(plan),
    "",
    `PARTS := ${partsOf(plan)
      .map(({ name }) => name)
      .join(" ")}`,
    "",
    ".PHONY: help",
    "help: ## Lists the targets",
    `\t@awk 'BEGIN { FS = ":.*## " } /^##@/ { printf "\\n%s\\n", substr($$0, 5) } /^[a-z][a-z0-9-]*:.*## / { printf "  %-32s %s\\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))`,
    ...written.flatMap(([title, targets]) => ["", `##@ ${title}`, ...targets.flatMap(targetLines)]),
    "",
    PATTERNS,
    "",
    `.PHONY: ${names.join(" ")}`,
    "",
  ].join("\n");
}

const targetLines = ({ name, help, lines, needs = "" }: Target): string[] => [
  "",
  `${name}:${needs === "" ? "" : ` ${needs}`} ## ${help}`,
  ...lines.map((line) => `\t${line}`),
];

/** One target for each part; `make help` names their form. */
const PATTERNS = `.PHONY: $(PARTS:%=gitops-deploy-%) $(PARTS:%=k8s-deploy-%-manual)

$(PARTS:%=gitops-deploy-%): gitops-deploy-%:
	$(KUBECTL) apply --server-side --filename ${applicationsFolder}/project.yaml --filename ${applicationsFolder}/$*-app.yaml`;

function variables({ environment, prefix }: Plan): string[] {
  const { target } = environment;
  const common = [
    'KUBECTL = kubectl --context "$(or $(KUBE_CONTEXT),$(error KUBE_CONTEXT names no cluster))"',
    `OVERLAYS := k8s-manifests/overlays/${environment.name}`,
    "export KUBE_CONTEXT",
  ];
  switch (target.kind) {
    case "civo":
      return [
        `export KUBECONFIG ?= ${kubeconfigPath(prefix).replace("~", "$(HOME)")}`,
        `KUBE_CONTEXT ?= ${prefix}`,
        ...common,
      ];
    case "gcp":
      return [`KUBE_CONTEXT ?= gke_${target.project}_${target.region}_${prefix}`, ...common];
    case "kubernetes":
      return [
        "# Named, so that no other cluster is changed by mistake: make KUBE_CONTEXT=... TARGET",
        "KUBE_CONTEXT ?=",
        "export TF_VAR_kube_context = $(KUBE_CONTEXT)",
        ...common,
      ];
  }
}

const stageTargets = (stage: Stage): Target[] => {
  const folder = stageFolder(stage);
  return [
    {
      name: `plan-${stage}`,
      help: `Shows what stage ${stage} would change, and keeps the plan`,
      lines: [
        `terraform -chdir=${folder} init -input=false`,
        `terraform -chdir=${folder} plan -input=false -out=stage.tfplan`,
      ],
    },
    {
      name: `apply-${stage}`,
      help: `Applies the plan of stage ${stage}`,
      lines: [`terraform -chdir=${folder} apply -input=false stage.tfplan`, `rm -f ${folder}/stage.tfplan`],
    },
  ];
};

function accessTargets({ environment, prefix }: Plan): Target[] {
  const { target } = environment;
  if (target.kind === "kubernetes") return [];
  const command =
    target.kind === "civo"
      ? `civo kubernetes config ${prefix} --region ${target.region} --save --local-path "$$KUBECONFIG"`
      : `gcloud container clusters get-credentials ${prefix} --region=${target.region} --project=${target.project} --dns-endpoint`;
  return [{ name: "kubeconfig", help: "Fetches the access to the cluster", lines: [command] }];
}

function secretTargets(plan: Plan): Target[] {
  if (localSecrets(plan).length === 0) return [];
  return plan.environment.secrets.engine === "sealed"
    ? [
        {
          name: "seal",
          help: "Seals the Secrets that are missing, to be committed",
          lines: ["scripts/secrets.sh"],
        },
      ]
    : [
        {
          name: "secrets",
          help: "Makes the Secrets that are missing in the cluster",
          lines: ["scripts/secrets.sh"],
        },
      ];
}

const gitOpsTargets = (plan: Plan): Target[] => [
  {
    name: "gitops-deploy-mlops-stack",
    help: "Hands the whole platform to Argo CD",
    lines: [`$(KUBECTL) apply --server-side --filename ${applicationsFolder}/mlops-stack-app.yaml`],
  },
  {
    name: "gitops-deploy",
    help: "gitops-deploy-PART hands one part to Argo CD",
    lines: ["@printf 'make gitops-deploy-PART, one of:\\n'; printf '  %s\\n' $(PARTS)"],
  },
  {
    name: "gitops-status",
    help: "Lists the Applications with their waves, sync and health",
    lines: [
      `$(KUBECTL) --namespace ${namespaces.argoCd} get applications.argoproj.io --output 'custom-columns=NAME:.metadata.name,WAVE:.metadata.annotations.argocd\\.argoproj\\.io/sync-wave,SYNC:.status.sync.status,HEALTH:.status.health.status'`,
    ],
  },
  ...partsOf(plan).map((part) => manualTarget(part)),
];

/** Without Argo CD, for trying things out. */
function manualTarget({ name, namespace, overlay, chart }: Part): Target {
  const lines: string[] = [];
  if (chart !== undefined) {
    const { repository, name: chartName, version } = charts[chart.name];
    const address = repository.startsWith("http")
      ? `${chartName} --repo ${repository}`
      : `oci://${repository}/${chartName}`;
    const files = chart.valueFiles.map((file) => `--values ${file}`).join(" ");
    lines.push(
      `helm --kube-context "$(KUBE_CONTEXT)" upgrade --install ${chart.release} ${address} --version ${version} --namespace ${namespace} ${files}`,
    );
  }
  lines.push(`$(KUBECTL) apply --server-side --kustomize ${overlay}`);
  return { name: `k8s-deploy-${name}-manual`, help: `Applies ${name} without Argo CD, to try it out`, lines };
}

type Forward = { name: string; namespace: string; service: string; ports: string; address: string };

function forwardsOf(plan: Plan): Forward[] {
  const { environment, tracking, pipelines } = plan;
  return [
    {
      name: "argocd",
      namespace: namespaces.argoCd,
      service: `${argoCdRelease}-server`,
      ports: "8443:443",
      address: "https://localhost:8443",
    },
    {
      name: "tracking",
      namespace: tracking.namespace,
      service: tracking.name,
      ports: `5000:${tracking.port}`,
      address: "http://localhost:5000",
    },
    ...(pipelines === undefined
      ? []
      : [
          {
            name: "zenml",
            namespace: pipelines.namespace,
            service: pipelines.name,
            ports: `${zenmlLocalPort}:${pipelines.port}`,
            address: `http://localhost:${zenmlLocalPort}`,
          },
        ]),
    ...(environment.objectStore.engine === "minio"
      ? [
          {
            name: "minio",
            namespace: namespaces.objectStore,
            service: "minio",
            ports: "9000:9000 9001:9001",
            address: "http://localhost:9001",
          },
        ]
      : []),
    ...(environment.monitoring.engine === "prometheus-operator"
      ? [
          {
            name: "grafana",
            namespace: namespaces.monitoring,
            service: `${environment.monitoring.release}-grafana`,
            ports: "3000:80",
            address: "http://localhost:3000",
          },
        ]
      : []),
  ];
}

function lookingTargets(plan: Plan): Target[] {
  const { objectStore, monitoring } = plan.environment;
  const secret = (namespace: string, name: string, key: string): string =>
    `$(KUBECTL) --namespace ${namespace} get secret ${name} --output 'go-template={{ index .data "${key}" | base64decode }}{{ "\\n" }}'`;
  return [
    ...forwardsOf(plan).map(({ name, namespace, service, ports, address }) => ({
      name: `port-forward-${name}`,
      help: `Shows ${name} at ${address}`,
      lines: [`$(KUBECTL) --namespace ${namespace} port-forward service/${service} ${ports}`],
    })),
    {
      name: "argocd-credentials",
      help: "Prints the first password of Argo CD's user admin",
      lines: [secret(namespaces.argoCd, "argocd-initial-admin-secret", "password")],
    },
    ...(plan.tracking.name === "plinth"
      ? [
          {
            name: "plinth-credentials",
            help: "Prints the first password of Plinth's user admin",
            lines: [secret(plan.tracking.namespace, adminSecretName, "PLINTH_ADMIN_PASSWORD")],
          },
        ]
      : []),
    ...(objectStore.engine === "minio"
      ? [
          {
            name: "minio-credentials",
            help: "Prints name and password of MinIO's root account",
            lines: [
              secret(namespaces.objectStore, objectStore.credentials.secret, "MINIO_ROOT_USER"),
              secret(namespaces.objectStore, objectStore.credentials.secret, "MINIO_ROOT_PASSWORD"),
            ],
          },
        ]
      : []),
    ...(monitoring.engine === "prometheus-operator"
      ? [
          {
            name: "grafana-credentials",
            help: "Prints the password of Grafana's user admin",
            lines: [secret(namespaces.monitoring, "grafana-admin", "admin-password")],
          },
        ]
      : []),
  ];
}

const checkTargets = (plan: Plan): Target[] => [
  {
    name: "validate",
    help: "Checks what is in this folder: Terraform, overlays, Applications",
    lines: [
      "terraform fmt -check -recursive terraform",
      ...stagesOf(plan).flatMap((stage) => [
        `terraform -chdir=${stageFolder(stage)} init -backend=false -input=false >/dev/null`,
        `terraform -chdir=${stageFolder(stage)} validate`,
      ]),
      `for overlay in $(OVERLAYS)/*/; do kubectl kustomize "$$overlay" >/dev/null || exit 1; done`,
      `kubectl kustomize ${applicationsFolder} >/dev/null`,
    ],
  },
  ...(copiesArtifacts(plan)
    ? [
        {
          name: "copy-artifacts",
          help: "Copies artifacts to the backup region; run it on a schedule",
          lines: ["scripts/copy-artifacts.sh"],
        },
      ]
    : []),
];
