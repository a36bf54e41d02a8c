import type { Outbound } from "../../../kernel/outbound/outbound.ts";
import type { ConnectorCredentials } from "./connector-credentials.ts";
import { objectOf, textOf, type Credentials } from "./credentials.ts";
import type { StorePath } from "./location.ts";
import type { S3StoreOptions } from "./s3.ts";
import { StoreError } from "./store.ts";

/** Flavors that speak S3, each with where it is unless something else is said. */
const endpoints: Readonly<Record<string, (region: string | undefined) => string | undefined>> = {
  s3: () => undefined,
  b2: () => "https://s3.us-west-004.backblazeb2.com",
  digitalocean: (region) => (region === undefined ? undefined : `https://${region}.digitaloceanspaces.com`),
};

export const speaksS3 = (flavor: string): boolean => Object.hasOwn(endpoints, flavor);

type Keys = Pick<S3StoreOptions, "accessKeyId" | "secretAccessKey" | "sessionToken">;

/**
 * How a store of an S3 flavor is reached: by its connector, else by its `authentication_secret`, else by the key in its
 * configuration, as ZenML's clients do it. Those of the machine that Plinth runs on are never used. Pure.
 */
export function s3OptionsOf(
  { configuration, secret }: Credentials,
  connector: ConnectorCredentials | undefined,
  about: { name: string; flavor: string; path: StorePath; outbound: Outbound },
): S3StoreOptions {
  const client = objectOf(configuration["client_kwargs"]);
  const config = objectOf(configuration["config_kwargs"]);
  const keys =
    connector === undefined
      ? (keysOf(secret ?? {}) ?? plainKeysOf(configuration))
      : keysOf(connector.configuration);
  if (keys === undefined) {
    throw new StoreError(
      "unsupported",
      `Artifact store '${about.name}' cannot be read by the server: it has no credentials of its own. ` +
        "Give it a service connector, an authentication secret, or a key and secret.",
    );
  }
  const region =
    textOf(client["region_name"]) ??
    textOf(config["region_name"]) ??
    textOf(connector?.configuration["region"]);
  const addressing = textOf(objectOf(config["s3"])["addressing_style"]);
  const ownRegion = textOf(configuration["region"]);
  return {
    ...keys,
    name: about.name,
    path: about.path,
    outbound: about.outbound,
    region,
    endpoint:
      (textOf(client["endpoint_url"]) ?? textOf(connector?.configuration["endpoint_url"]))?.replace(
        /\/+$/,
        "",
      ) ?? endpoints[about.flavor]?.(ownRegion),
    ...(addressing === "path" || addressing === "virtual" ? { pathStyle: addressing === "path" } : {}),
  };
}

function keysOf(values: Readonly<Record<string, unknown>>): Keys | undefined {
  const accessKeyId = textOf(values["aws_access_key_id"]) ?? textOf(values["access_key_id"]);
  const secretAccessKey = textOf(values["aws_secret_access_key"]) ?? textOf(values["secret_access_key"]);
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  const sessionToken = textOf(values["aws_session_token"]) ?? textOf(values["session_token"]);
  return { accessKeyId, secretAccessKey, sessionToken };
}

const plainKeysOf = ({ key, secret, token }: Readonly<Record<string, unknown>>): Keys | undefined =>
  keysOf({ access_key_id: key, secret_access_key: secret, session_token: token });
