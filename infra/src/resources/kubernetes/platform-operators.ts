import { namespaces } from "../../names.ts";
import type { Plan } from "../../plan.ts";
import type { PlatformPart } from "./application.ts";
import * as values from "./platform-charts.ts";
import { chart, folder, part, reason, upstream } from "./platform-part.ts";
import * as pods from "./platform-workloads.ts";

/** Operators that the components need: of databases, and of models. */

const engines = ({ environment: { tracking, pipelines } }: Plan): string[] => [
  tracking.database.engine,
  ...(pipelines.engine === "zenml" ? [pipelines.database.engine] : []),
];

export const needsBarman = (plan: Plan): boolean =>
  plan.environment.backup.enabled && engines(plan).includes("cloudnative-pg");

/** The authority of webhooks, which cert-manager writes into what a chart leaves empty, or a chart makes anew each time. */
const injectedAuthority = ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"].map((kind) => ({
  group: "admissionregistration.k8s.io",
  kind,
  jqPathExpressions: [".webhooks[]?.clientConfig.caBundle"],
}));

/** Certificates and keys that KubeBlocks' chart makes anew whenever it is rendered. */
const renderedAnew = [{ kind: "Secret", jsonPointers: ["/data"] }, ...injectedAuthority];

export function databaseOperators(plan: Plan): PlatformPart[] {
  const { tracking, pipelines, environment } = plan;
  const servers = [
    {
      setting: "tracking.database.engine",
      namespace: tracking.namespace,
      database: environment.tracking.database,
    },
    ...(pipelines !== undefined && environment.pipelines.engine === "zenml"
      ? [
          {
            setting: "pipelines.database.engine",
            namespace: pipelines.namespace,
            database: environment.pipelines.database,
          },
        ]
      : []),
  ];
  const of = (engine: string): typeof servers => servers.filter(({ database }) => database.engine === engine);
  const parts: PlatformPart[] = [];
  const postgres = of("cloudnative-pg");
  if (postgres.length > 0) {
    const because = postgres.map(({ setting }) => reason(setting, "CloudNativePG runs this database"));
    parts.push(
      part({
        name: "cloudnative-pg",
        title: "Operator of PostgreSQL",
        namespace: namespaces.cloudNativePg,
        after: ["namespaces", "network-policies"],
        sources: [chart("cloudnative-pg", { values: values.cloudNativePgValues(plan) })],
        because,
        serverSide: true,
        workloads: [pods.cloudNativePgWorkload(postgres.map(({ namespace }) => namespace))],
      }),
    );
    if (needsBarman(plan)) {
      parts.push(
        part({
          name: "barman-cloud",
          title: "Backups of PostgreSQL to the object store",
          namespace: namespaces.cloudNativePg,
          after: ["cloudnative-pg", "cert-manager"],
          sources: [
            chart("plugin-barman-cloud", { release: "barman-cloud", values: values.barmanCloudValues() }),
          ],
          because: [...because, reason("backup.enabled", "backups and the write-ahead log go to a bucket")],
        }),
      );
    }
  }
  const blocks = of("kubeblocks");
  if (blocks.length > 0) {
    const addons = blocks.map(({ database }) =>
      database.engine === "kubeblocks" ? database.dialect : "mysql",
    );
    const because = blocks.map(({ setting }) => reason(setting, "KubeBlocks runs this database"));
    parts.push(
      upstream("kubeblocks-crds", because),
      ...(environment.target.kind === "gcp" ? [] : [upstream("volume-snapshot-crds", because)]),
      part({
        name: "kubeblocks",
        title: "Operator of databases",
        namespace: namespaces.kubeBlocks,
        after: ["namespaces", "network-policies", "kubeblocks-crds", "volume-snapshot-crds"],
        sources: [
          chart("kubeblocks", { values: values.kubeBlocksValues([...new Set(addons)]), skipCrds: true }),
        ],
        because,
        serverSide: true,
        ignoreDifferences: renderedAnew,
        workloads: [pods.kubeBlocksWorkload(blocks.map(({ namespace }) => namespace))],
      }),
    );
  }
  return parts;
}

export function servingParts(plan: Plan): PlatformPart[] {
  const { serving } = plan.environment;
  if (serving.engine !== "kserve") return [];
  const because = [reason("serving.engine", "KServe serves models")];
  const knative = serving.mode === "knative";
  return [
    ...(knative ? knativeParts(plan, serving.namespace) : []),
    part({
      name: "kserve-crd",
      title: "Custom resources of KServe, before its controller",
      namespace: namespaces.kserve,
      sources: [chart("kserve-crd")],
      because,
      serverSide: true,
      keep: true,
    }),
    part({
      name: "kserve-controller",
      title: "Controller of KServe",
      namespace: namespaces.kserve,
      after: ["kserve-crd", "cert-manager", "network-policies", ...(knative ? ["knative-serving"] : [])],
      sources: [chart("kserve-resources", { release: "kserve", values: values.kserveValues(plan) })],
      because,
      serverSide: true,
      ignoreDifferences: injectedAuthority,
      workloads: [pods.kserveWorkload()],
    }),
    part({
      // What models wait for: with the runtimes KServe is complete.
      name: "kserve",
      title: "Runtimes of KServe, for each format of models",
      namespace: namespaces.kserve,
      after: ["kserve-controller"],
      sources: [
        chart("kserve-runtime-configs", { release: "kserve-runtimes", values: values.kserveRuntimeValues() }),
      ],
      because,
      serverSide: true,
    }),
  ];
}

function knativeParts(plan: Plan, models: string): PlatformPart[] {
  const because = [reason("serving.mode", "Knative starts and stops models by their requests")];
  return [
    part({
      name: "knative-operator",
      title: "Operator of Knative",
      namespace: namespaces.knativeOperator,
      after: ["namespaces", "network-policies"],
      sources: [chart("knative-operator")],
      because,
      serverSide: true,
      workloads: [pods.knativeOperatorWorkload()],
    }),
    part({
      name: "knative-serving",
      title: "Knative Serving",
      namespace: namespaces.knative,
      after: ["knative-operator"],
      sources: [folder(plan, "knative-serving")],
      because,
      workloads: [pods.knativeWorkload(models)],
    }),
  ];
}
