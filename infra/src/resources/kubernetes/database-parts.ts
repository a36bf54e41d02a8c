import { namespaces } from "../../names.ts";
import type { Component, Plan } from "../../plan.ts";
import type { Database } from "../../spec/state.ts";
import { identityFlow, objectStoreFlow, overlayFolder, type Flow, type Part, type Workload } from "./part.ts";

/** Labels that operators give to the pods of a database server. */
export const serverSelector = (
  engine: "cloudnative-pg" | "kubeblocks",
  server: string,
): Record<string, string> =>
  engine === "cloudnative-pg"
    ? { "cnpg.io/cluster": server }
    : // Jobs that back it up carry this label too, and not the one of its own pods.
      { "app.kubernetes.io/instance": server };

/** The way from a component to its database. */
export function databasePeer(plan: Plan, component: Component, database: Database): Flow {
  const { host, port, server } = component.database;
  const flow = { ports: [port], why: `its database, ${host}` };
  const { target } = plan.environment;
  switch (database.engine) {
    case "cloudnative-pg":
    case "kubeblocks":
      return {
        ...flow,
        peer: {
          kind: "pods",
          namespace: component.namespace,
          selector: serverSelector(database.engine, server),
        },
      };
    case "cloud-sql":
      return {
        ...flow,
        peer:
          target.kind === "gcp"
            ? { kind: "networks", cidrs: [target.network.privateServices] }
            : { kind: "internet" },
      };
    case "civo-database":
      return {
        ...flow,
        peer:
          target.kind === "civo" ? { kind: "networks", cidrs: [target.network.cidr] } : { kind: "internet" },
      };
    case "external":
      return {
        ...flow,
        // A NetworkPolicy knows addresses, no names.
        peer: /^[\d.]+$/.test(host)
          ? { kind: "networks", cidrs: [`${host}/32`] }
          : { kind: "networks", cidrs: ["0.0.0.0/0"] },
      };
  }
}

/** The database server of a component as a part of its own; none where it is outside of the cluster. */
export function databaseParts(plan: Plan, component: Component, database: Database): Part[] {
  if (database.engine !== "cloudnative-pg" && database.engine !== "kubeblocks") return [];
  const { server } = component.database;
  const isBackedUp = plan.environment.backup.enabled;
  const minio = isBackedUp && plan.environment.objectStore.engine === "minio" ? ["minio"] : [];
  const isPostgres = database.engine === "cloudnative-pg";
  return [
    {
      name: server,
      title: `Database of ${component.name}`,
      namespace: component.namespace,
      overlay: overlayFolder(plan, server),
      after: [
        "namespaces",
        "secrets",
        ...(isPostgres ? ["cloudnative-pg", ...(isBackedUp ? ["barman-cloud"] : [])] : ["kubeblocks"]),
        ...minio,
      ],
      workloads: [
        isPostgres ? postgresServer(plan, component) : kubeBlocksServer(plan, component),
        ...(isPostgres ? [] : [accountJob(component)]),
      ],
      routes: [],
    },
  ];
}

function postgresServer(plan: Plan, { namespace, name, database }: Component): Workload {
  const { server, port } = database;
  const selector = serverSelector("cloudnative-pg", server);
  return {
    name: server,
    namespace,
    selector,
    ingress: [
      {
        peer: { kind: "pods", namespace, selector: { "app.kubernetes.io/name": name } },
        ports: [port],
        why: `${name} is its client`,
      },
      ...(name === "mlflow"
        ? [
            {
              peer: {
                kind: "pods",
                namespace,
                selector: { "app.kubernetes.io/name": "mlflow-db-upgrade" },
              } as const,
              ports: [port],
              why: "migration of the schema",
            },
          ]
        : []),
      { peer: { kind: "pods", namespace, selector }, ports: [port, 8000], why: "replication" },
      {
        peer: { kind: "namespace", namespace: namespaces.cloudNativePg },
        ports: [port, 8000],
        why: "the operator asks for the state of each instance",
      },
      { peer: { kind: "monitoring" }, ports: [9187], why: "metrics" },
    ],
    egress: [
      { peer: { kind: "pods", namespace, selector }, ports: [port, 8000], why: "replication" },
      { peer: { kind: "kubernetes-api" }, ports: [443, 6443], why: "each instance reads its Cluster" },
      ...(plan.environment.backup.enabled ? [objectStoreFlow(plan, "backups"), ...identityFlow(plan)] : []),
    ],
    metrics: { by: "pods", selector, port: "metrics", path: "/metrics" },
  };
}

function kubeBlocksServer(plan: Plan, { namespace, name, database }: Component): Workload {
  const { server, port } = database;
  const selector = serverSelector("kubeblocks", server);
  const client = (pods: string, why: string): Flow => ({
    peer: { kind: "pods", namespace, selector: { "app.kubernetes.io/name": pods } },
    ports: [port],
    why,
  });
  return {
    name: server,
    namespace,
    selector,
    ingress: [
      client(name, `${name} is its client`),
      client(accountJobName(server), "makes the application's database and user"),
      ...(name === "mlflow" ? [client("mlflow-db-upgrade", "migration of the schema")] : []),
      { peer: { kind: "pods", namespace, selector }, ports: [], why: "replication, fail-over and backup" },
      {
        peer: { kind: "namespace", namespace: namespaces.kubeBlocks },
        ports: [],
        why: "the operator calls the agent of each instance",
      },
      { peer: { kind: "monitoring" }, ports: [], why: "metrics, at the port named http-metrics" },
    ],
    egress: [
      { peer: { kind: "pods", namespace, selector }, ports: [], why: "replication and fail-over" },
      { peer: { kind: "kubernetes-api" }, ports: [443, 6443], why: "leader election and roles" },
      ...(plan.environment.backup.enabled ? [objectStoreFlow(plan, "backups")] : []),
    ],
    metrics: { by: "pods", selector, port: "http-metrics", path: "/metrics" },
  };
}

/** Name of the Job that makes the application's database and user in a server of KubeBlocks. */
export const accountJobName = (server: string): string => `${server}-account`;

function accountJob({ namespace, database }: Component): Workload {
  const { server, port } = database;
  return {
    name: accountJobName(server),
    namespace,
    selector: { "app.kubernetes.io/name": accountJobName(server) },
    ingress: [],
    egress: [
      {
        peer: { kind: "pods", namespace, selector: serverSelector("kubeblocks", server) },
        ports: [port],
        why: "makes the application's database and user",
      },
    ],
  };
}
