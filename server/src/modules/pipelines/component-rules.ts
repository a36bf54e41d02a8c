import type { FlavorRow } from "./stack-tables.ts";

/** What flavors ask of configurations besides their schemas, where a wrong one would be found out only by a run. */

type Kind = Pick<FlavorRow, "name" | "type">;
type Values = Readonly<Record<string, unknown>>;

/** Where each artifact store can keep things. */
const pathSchemes: Readonly<Record<string, readonly string[]>> = {
  s3: ["s3://"],
  b2: ["s3://"],
  digitalocean: ["s3://"],
  gcp: ["gs://"],
  azure: ["abfs://", "az://"],
};

/** Of which neither or both are given, by type and name of the flavor. */
const pairs: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  "experiment_tracker mlflow": [
    ["tracking_username", "tracking_password"],
    ["databricks_client_id", "databricks_client_secret"],
  ],
  "orchestrator databricks": [["client_id", "client_secret"]],
  "step_operator databricks": [["client_id", "client_secret"]],
  "orchestrator modal": [["token_id", "token_secret"]],
  "step_operator modal": [["token_id", "token_secret"]],
  "sandbox modal": [["token_id", "token_secret"]],
  "orchestrator tekton": [["client_username", "client_password"]],
  "orchestrator kubeflow": [["client_username", "client_password"]],
};

const SECRET_REFERENCE = /^\{\{\s*\S+?\.\S+\s*\}\}$/;

/** `{{secret.key}}`, which clients put the value of a secret in place of. */
export const isSecretReference = (value: unknown): boolean =>
  typeof value === "string" && SECRET_REFERENCE.test(value);

/** What a flavor works out of the rest before it looks at it. */
export function withDerived({ name, type }: Kind, given: Values): Values {
  if (type !== "log_store" || name !== "datadog" || given["endpoint"]) return given;
  const site = typeof given["site"] === "string" ? given["site"] : "datadoghq.com";
  return { ...given, endpoint: `https://http-intake.logs.${site}/api/v2/logs` };
}

/** Addresses without what a shell or a habit left at their ends. */
export function withoutFringes({ type }: Kind, values: Values): Values {
  const { path, uri } = values;
  if (type === "artifact_store" && typeof path === "string") {
    return { ...values, path: path.replaceAll(/^['"`]+|['"`]+$/g, "") };
  }
  if (type === "container_registry" && typeof uri === "string") {
    return { ...values, uri: uri.replace(/\/+$/, "") };
  }
  return values;
}

/** What breaks a rule of the flavor; undefined where nothing does. */
export function brokenRule(kind: Kind, values: Values): string | undefined {
  const incomplete = (pairs[`${kind.type} ${kind.name}`] ?? []).find(
    ([one, other]) => Boolean(values[one]) !== Boolean(values[other]),
  );
  if (incomplete !== undefined) {
    return `\`${incomplete[0]}\` and \`${incomplete[1]}\` need each other: give both of them, or none.`;
  }
  if (kind.type === "artifact_store") return brokenStoreRule(kind, values);
  if (kind.type === "container_registry") return brokenRegistryRule(kind, values);
  return undefined;
}

function brokenStoreRule(
  { name }: Kind,
  { path, region, client_kwargs: options }: Values,
): string | undefined {
  if (typeof path !== "string") return undefined;
  const schemes = pathSchemes[name];
  if (schemes !== undefined && !schemes.some((scheme) => path.startsWith(scheme))) {
    return `The path '${path}' is not supported by the artifact store '${name}': it must start with ${schemes.join(" or ")}.`;
  }
  if (isSecretReference(path)) return noReference("path");
  if (name === "local" && path.includes("://")) {
    return `The path '${path}' of a local artifact store must be on this machine.`;
  }
  if (name !== "digitalocean") return undefined;
  if (typeof region === "string" && region !== "") {
    return /^[a-z]{2,6}\d{1,2}$/.test(region)
      ? undefined
      : `'${region}' is no region of DigitalOcean Spaces, such as 'fra1'.`;
  }
  const isPlaced = typeof options === "object" && options !== null && "endpoint_url" in options;
  return isPlaced
    ? undefined
    : "Name a `region` of DigitalOcean Spaces, or an `endpoint_url` in `client_kwargs`.";
}

function brokenRegistryRule({ name }: Kind, { uri }: Values): string | undefined {
  if (typeof uri !== "string") return undefined;
  if (isSecretReference(uri)) return noReference("uri");
  if (name === "aws" && uri.includes("/")) {
    return "The `uri` of a registry of AWS has no `/`, as in `715803424592.dkr.ecr.us-east-1.amazonaws.com`.";
  }
  if (name === "digitalocean" && !/^registry\.digitalocean\.com\/./.test(uri)) {
    return "The `uri` of a registry of DigitalOcean is like `registry.digitalocean.com/my-registry`.";
  }
  return undefined;
}

const noReference = (attribute: string): string =>
  `Passing the stack component attribute \`${attribute}\` as a secret reference is not allowed as additional validation is required for this attribute.`;
