import { googleAccountId, modelReaderAccount, type GoogleUser } from "../../names.ts";
import { ref, template, type Reason } from "../resource.ts";
import { resourceBlock, type Block, type ModuleOutput } from "../terraform-module.ts";
import { because, statefulComponents, type Scope } from "./scope.ts";

/** Service accounts, and which service accounts of Kubernetes act as them. */

type Identity = {
  user: GoogleUser;
  display: string;
  reasons: readonly Reason[];
  /** Service accounts of Kubernetes, as `namespace/name`. */
  actors: readonly string[];
};

export function identitiesOf(scope: Scope): Identity[] {
  const { plan, environment, prefix } = scope;
  const { tracking, pipelines } = plan;
  const identities: Identity[] = [
    {
      user: "nodes",
      display: `Nodes of ${prefix}`,
      reasons: [
        because("target.cluster", "The default account of a project may do far more than nodes need."),
      ],
      actors: [],
    },
  ];
  if (environment.objectStore.engine !== "gcs") return identities;
  const store = because("objectStore.engine", "Buckets are reached by a service account of each user.");
  identities.push({
    user: "tracking",
    display: `${tracking.name} of ${prefix}`,
    reasons: [because("tracking.engine", `${tracking.name} keeps artifacts in a bucket.`), store],
    // Plinth speaks S3 and has an HMAC key of this account; MLflow is this account.
    actors: tracking.name === "plinth" ? [] : [`${tracking.namespace}/${tracking.serviceAccount}`],
  });
  if (pipelines !== undefined && environment.pipelines.engine === "zenml") {
    const { namespace, serviceAccount } = pipelines;
    identities.push({
      user: "zenml",
      display: `ZenML of ${prefix}`,
      reasons: [
        because("pipelines.engine", "The server and the steps of pipelines read and write artifacts."),
      ],
      // The chart's migration job runs as an account of its own.
      actors: [`${namespace}/${serviceAccount}`, `${namespace}/${serviceAccount}-db-migration`],
    });
  }
  if (environment.serving.engine === "kserve") {
    identities.push({
      user: "models",
      display: `Models of ${prefix}`,
      reasons: [because("serving.engine", "KServe's storage initializer fetches models.")],
      actors: [`${environment.serving.namespace}/${modelReaderAccount}`],
    });
  }
  const clusters = statefulComponents(plan).filter(({ database }) => database.engine === "cloudnative-pg");
  if (environment.backup.enabled && clusters.length > 0) {
    identities.push({
      user: "backups",
      display: `Database backups of ${prefix}`,
      reasons: [because("backup.enabled", "Database clusters write their backups into a bucket.")],
      // CloudNativePG names the account of a cluster after the cluster.
      actors: clusters.map(({ component }) => `${component.namespace}/${component.database.server}`),
    });
  }
  return identities;
}

export function identityBlocks(scope: Scope): Block[] {
  const { environment, target } = scope;
  return identitiesOf(scope).flatMap(({ user, display, reasons, actors }) => [
    resourceBlock(
      `google_service_account.${user}`,
      { account_id: googleAccountId(environment, user), display_name: display },
      { because: reasons },
    ),
    ...(user === "nodes"
      ? [
          resourceBlock(
            "google_project_iam_member.nodes",
            {
              project: target.project,
              role: "roles/container.defaultNodeServiceAccount",
              member: ref("google_service_account.nodes.member"),
            },
            { because: reasons, comment: "What a node needs: to write logs and metrics." },
          ),
        ]
      : []),
    ...actors.map((actor) => {
      const [namespace = "", account = ""] = actor.split("/");
      return resourceBlock(
        `google_service_account_iam_member.${user}_${account.replaceAll("-", "_")}`,
        {
          service_account_id: ref(`google_service_account.${user}.name`),
          role: "roles/iam.workloadIdentityUser",
          member: template`serviceAccount:${ref("var.workload_pool")}[${namespace}/${account}]`,
        },
        { because: reasons },
      );
    }),
  ]);
}

export const identityOutputs = (scope: Scope): ModuleOutput[] =>
  identitiesOf(scope).map(({ user, display }) => ({
    name: user === "nodes" ? "node_service_account" : `${user}_service_account`,
    description: `E-mail of the service account: ${display}`,
    value: ref(`google_service_account.${user}.email`),
  }));
