import type { HclBlock, HclBody, HclExpression } from "../../hcl/syntax.ts";
import type { Problem, Rule } from "../rule.ts";
import type { Workspace } from "../workspace.ts";
import { chartName } from "./chart-objects.ts";
import { mayHaveVariable } from "./container-environment.ts";
import { databaseUrls, isKnownPart, urlParts } from "./database-urls.ts";
import { at, environment, fields, list, problemAt, textAt, workloadsOf } from "./kubernetes-objects.ts";

/** Which database which server can use, and how each wants its URL. */

const ZENML_QUERY = new Set(["ssl", "ssl_ca", "ssl_cert", "ssl_key", "ssl_verify_server_cert"]);

function* zenmlUrls(workspace: Workspace): Iterable<Problem> {
  for (const found of databaseUrls(workspace)) {
    if (found.consumer !== "zenml") continue;
    const message = zenmlComplaint(found.url);
    if (message !== undefined) yield problemAt(found.located, { path: found.path, message });
  }
}

/** https://docs.zenml.io: the SQL store takes `mysql` and `sqlite` and nothing else. */
function zenmlComplaint(url: string): string | undefined {
  const parts = urlParts(url);
  if (parts === undefined || !isKnownPart(parts.scheme)) return undefined;
  const { scheme, database, query } = parts;
  if (scheme === "sqlite") return undefined;
  if (scheme.startsWith("postgres"))
    return "ZenML's server has no PostgreSQL backend: it takes MySQL, from version 8.0";
  if (scheme !== "mysql")
    return `ZenML's server refuses the driver ${scheme}: the URL must begin with mysql://`;
  if (database === "") return "ZenML's database URL names no database";
  if (isKnownPart(database) && !/^[^\\/?%*:|"<>.-]{1,64}$/.test(database))
    return `ZenML refuses the database name ${database}: hyphens and dots are not admitted`;
  const unknown = query.find((name) => isKnownPart(name) && !ZENML_QUERY.has(name));
  return unknown === undefined ? undefined : `ZenML's database URL may not have the parameter ${unknown}`;
}

function* mlflowUrls(workspace: Workspace): Iterable<Problem> {
  for (const { consumer, url, located, path } of databaseUrls(workspace)) {
    const scheme = consumer === "mlflow" ? urlParts(url)?.scheme : undefined;
    if (scheme === "mysql")
      yield problemAt(located, {
        path,
        message:
          "MLflow takes mysql:// for the driver MySQLdb, which its images do not have; its form is mysql+pymysql://",
      });
    if (scheme === "postgres")
      yield problemAt(located, {
        path,
        message: "MLflow's SQLAlchemy refuses postgres://; its form is postgresql://",
      });
  }
}

/** A secret whose one entry both servers read as their URL. */
function* sharedUrls(workspace: Workspace): Iterable<Problem> {
  const readers = workloadsOf(workspace).flatMap(({ manifest, containers }) =>
    containers.flatMap(({ value, path }) =>
      list(value["env"]).flatMap((item, index) => {
        const name = textAt(item, "name");
        const reference = fields(at(item, "valueFrom", "secretKeyRef"));
        if (name !== "ZENML_STORE_URL" && name !== "MLFLOW_BACKEND_STORE_URI") return [];
        return [
          {
            name,
            entry: `${manifest.namespace ?? ""}/${String(reference["name"])}/${String(reference["key"])}`,
            manifest,
            path: [...path, "env", index],
            known: reference["key"] !== undefined,
          },
        ];
      }),
    ),
  );
  for (const reader of readers) {
    const other = readers.find((one) => one.known && one.entry === reader.entry && one.name !== reader.name);
    if (reader.name === "ZENML_STORE_URL" && other !== undefined)
      yield problemAt(reader.manifest, {
        path: reader.path,
        message: `ZenML and MLflow (${other.manifest.name}) read the same entry of one secret as their database URL`,
      });
  }
}

/** Whether some Cloud SQL instance of the files refuses connections without TLS. */
function demandsTls(workspace: Workspace): HclBlock | undefined {
  const blocks = workspace.modules.flatMap(({ files }) => files).flatMap(({ body }) => body.blocks);
  return blocks.find(
    (block) =>
      block.type === "resource" &&
      block.labels[0] === "google_sql_database_instance" &&
      hasSslMode(block.body),
  );
}

const hasSslMode = (body: HclBody): boolean =>
  body.attributes.some(({ name, value }) => name === "ssl_mode" && isTls(value)) ||
  body.blocks.some((block) => hasSslMode(block.body));

const isTls = (value: HclExpression): boolean =>
  value.kind === "literal" &&
  (value.value === "ENCRYPTED_ONLY" || value.value === "TRUSTED_CLIENT_CERTIFICATE_REQUIRED");

/** A host that Terraform takes from a resource which is no Cloud SQL instance. */
const isOfOther = /\$\{(?!google_sql_|var\.|local\.|module\.|data\.|each\.)[a-z]\w*\./;

function* withoutTls(workspace: Workspace): Iterable<Problem> {
  const instance = demandsTls(workspace);
  if (instance === undefined) return;
  const name = instance.labels[1] ?? "";
  for (const release of workspace.releases) {
    const { values } = release;
    if (chartName(release) !== "zenml" || values === undefined) continue;
    const main = at(values.value, "server", "database") === undefined ? "zenml" : "server";
    const database = fields(at(values.value, main, "database"));
    if (
      !String(database["url"]).startsWith("mysql") ||
      isOfOther.test(String(database["url"])) ||
      database["ssl"] === true ||
      typeof database["ssl"] === "object"
    )
      continue;
    yield problemAt(values, {
      path: [main, "database", "url"],
      message: `ZenML connects without TLS, but the Cloud SQL instance ${name} admits encrypted connections only`,
    });
  }
  for (const { manifest, containers } of workloadsOf(workspace))
    for (const container of containers) {
      const url = environment(container, "MLFLOW_BACKEND_STORE_URI");
      if (
        url?.value?.startsWith("mysql") !== true ||
        mayHaveVariable(workspace, { manifest, container }, "MLFLOW_MYSQL_SSL_CA")
      )
        continue;
      yield problemAt(manifest, {
        path: url.path,
        message: `MLflow connects without TLS, but the Cloud SQL instance ${name} admits encrypted connections only`,
      });
    }
}

export const consumerRules: readonly Rule[] = [
  {
    id: "database/zenml-url",
    severity: "error",
    covers: ["E01", "E45"],
    title: "a database that ZenML's server cannot use",
    why: 'Its SQL store knows the drivers mysql and sqlite; anything else fails at start with "Invalid SQL driver value". PostgreSQL serves the control plane of ZenML Pro only.',
    remedy:
      "Give it MySQL 8: mysql://USER@HOST:3306/DATABASE, the password through database.passwordSecretRef; or use Plinth as the server.",
    check: zenmlUrls,
  },
  {
    id: "database/mlflow-url",
    severity: "error",
    covers: ["E45"],
    title: "a database URL in a form that MLflow does not take",
    why: "SQLAlchemy chooses the driver by the scheme.",
    remedy: "Write postgresql://... or mysql+pymysql://...",
    check: mlflowUrls,
  },
  {
    id: "database/shared-url",
    severity: "error",
    covers: ["E45"],
    title: "one database URL for ZenML and MLflow",
    why: "ZenML wants mysql://, MLflow mysql+pymysql://: each refuses the form of the other.",
    remedy: "Keep one entry for each, in its own form.",
    check: sharedUrls,
  },
  {
    id: "database/no-tls",
    severity: "error",
    covers: ["E44"],
    title: "a client without TLS in front of a database that demands it",
    why: "Cloud SQL with ssl_mode ENCRYPTED_ONLY closes unencrypted connections.",
    remedy:
      "ZenML: database.ssl: true and database.sslCa. MLflow: MLFLOW_MYSQL_SSL_CA (and _CERT, _KEY where client certificates are required).",
    check: withoutTls,
  },
];
