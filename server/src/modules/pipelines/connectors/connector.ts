import type { Micros } from "../../../kernel/micros.ts";
import type { OutboundTls } from "../../../kernel/outbound/outbound.ts";
import type { AuthMethod, ConnectorType } from "./connector-type.ts";

export type Configuration = Readonly<Record<string, unknown>>;

/** A connector as it is used: with its secrets, and before it was saved without an id and a name. */
export type Connector = {
  readonly id: string | null;
  readonly name: string | null;
  readonly type: ConnectorType;
  readonly method: AuthMethod;
  /** Undefined where it is for every resource of its type. */
  readonly resourceType: string | undefined;
  readonly resourceId: string | undefined;
  readonly expiresAt: Micros | null;
  readonly expiresSkewTolerance: number | null;
  /** How long the temporary credentials that it makes are to live. */
  readonly expirationSeconds: number | null;
  readonly configuration: Configuration;
};

/** Credentials for one resource: what a component gets instead of the connector's own. */
export type Client = Pick<
  Connector,
  | "name"
  | "type"
  | "method"
  | "resourceType"
  | "resourceId"
  | "expiresAt"
  | "expiresSkewTolerance"
  | "expirationSeconds"
  | "configuration"
>;

/** What the outside service, or a rule of the connector, does not let happen. The message holds no secret. */
export class AuthorizationFailure extends Error {
  override readonly name = "AuthorizationFailure";
}

/** A connection to the service, for one request: what was fetched for it (tokens) is kept as long. */
export type Driver = {
  /** The one spelling of an id. Throws `invalid_parameter` for what is none. */
  canonicalId?(resourceType: string, id: string): string;
  /** Of a resource of which there is one. */
  defaultId?(resourceType: string): string | Promise<string>;
  /**
   * The ids that can be reached: of this type; the one that is named; none without a type, where it is enough that
   * the credentials are good. Throws an `AuthorizationFailure`.
   */
  verify(resourceType: string | undefined, id: string | undefined): Promise<readonly string[]>;
  /** Undefined where clients get what the connector itself has. */
  client?(resourceType: string, id: string): Promise<Client | undefined>;
};

export type Tools = {
  readonly http: Http;
  now(): Micros;
  readonly places: Places;
  readonly ssh: Ssh;
};

export type OpenDriver = (connector: Connector, tools: Tools) => Driver;

export type SshLogin = {
  readonly username: string;
  /** In the format of OpenSSH or PEM. */
  readonly privateKey: string;
  readonly passphrase: string | undefined;
  /** The names by which SSH knows keys of the kind that it must be. */
  readonly keyTypes: readonly string[];
  readonly hosts: readonly string[];
};

/**
 * Logs in to each of the hosts with the key, and runs nothing there. Throws an `AuthorizationFailure`, which shows no
 * word of what a host said, at the first that does not let it in.
 */
export type Ssh = (login: SshLogin) => Promise<void>;

export type HttpRequest = {
  readonly url: string;
  readonly method?: "GET" | "HEAD" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly tls?: OutboundTls;
};

export type HttpAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body as JSON; an empty object for what is none. */
  json(): Json;
};

export type Json = Readonly<Record<string, unknown>>;

/** Throws an `AuthorizationFailure` where no answer comes. */
export type Http = (request: HttpRequest) => Promise<HttpAnswer>;

/** Where the clouds answer; other places for their national parts, and for tests. */
export type Places = {
  readonly google: {
    readonly storage: string;
    readonly container: string;
    readonly artifactRegistry: string;
    readonly iamCredentials: string;
  };
  readonly azure: { readonly login: string; readonly management: string; blob(account: string): string };
  readonly dockerHub: string;
  readonly sshPort: number;
};

export const publicPlaces: Places = {
  google: {
    storage: "https://storage.googleapis.com",
    container: "https://container.googleapis.com",
    artifactRegistry: "https://artifactregistry.googleapis.com",
    iamCredentials: "https://iamcredentials.googleapis.com",
  },
  azure: {
    login: "https://login.microsoftonline.com",
    management: "https://management.azure.com",
    blob: (account) => `https://${account}.blob.core.windows.net`,
  },
  dockerHub: "https://registry-1.docker.io",
  sshPort: 22,
};

/** Of a configuration that was checked before. */
export const textOf = (configuration: Configuration, name: string): string => {
  const value = configuration[name];
  return typeof value === "string" ? value : "";
};

export const optionalText = (configuration: Configuration, name: string): string | undefined =>
  textOf(configuration, name) || undefined;

/** As the clients' own models read them. */
export const isTrue = (value: unknown): boolean =>
  value === true || (typeof value === "string" && /^(?:true|1|yes|on|t|y)$/i.test(value));

/** A way that would use what belongs to the server. */
export const notImplicit = (): AuthorizationFailure =>
  new AuthorizationFailure(
    "Implicit authentication methods for service connectors are disabled: this server does not lend out the " +
      "credentials of the place where it runs.",
  );

/** Fetched at most once a request. */
export function once<T>(fetch: () => Promise<T>): () => Promise<T> {
  let fetched: Promise<T> | undefined;
  return () => (fetched ??= fetch());
}
