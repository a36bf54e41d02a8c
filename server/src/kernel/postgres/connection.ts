import { readFileSync } from "node:fs";
import { closest } from "fastest-levenshtein";
import { PlinthError } from "../errors.ts";

export type TlsOptions = {
  rejectUnauthorized: boolean;
  ca?: string;
  cert?: string;
  key?: string;
  /** Given when the certificate is checked but the host name in it is not (sslmode=verify-ca). */
  checkServerIdentity?: () => undefined;
};

/** What node-postgres needs to connect; it can be spread into `pg.ClientConfig`. */
export type PostgresConnection = {
  /** A host name, an address, or the folder of a Unix socket. */
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
  ssl: false | TlsOptions;
  /** Command-line options for the session, such as `-c search_path=x`. */
  options?: string;
};

/** A parsed `--database-url`: ways to connect in the order to try them, because of sslmode prefer and allow. */
export type DatabaseAddress = {
  candidates: [PostgresConnection, ...PostgresConnection[]];
  connectTimeoutSeconds: number;
};

const SSL_MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] as const;
type SslMode = (typeof SSL_MODES)[number];

const PARAMETERS = [
  "host",
  "port",
  "user",
  "password",
  "dbname",
  "sslmode",
  "sslrootcert",
  "sslcert",
  "sslkey",
  "options",
  "connect_timeout",
  "target_session_attrs",
];

/**
 * Reads a connection URI as libpq does (https://www.postgresql.org/docs/current/libpq-connect.html).
 * Errors never repeat the address, because it holds the password.
 */
export function parseDatabaseUrl(text: string): DatabaseAddress {
  const { url, socketHost } = splitUrl(text);
  const parameters = readParameters(url);
  const host =
    parameters.get("host") ?? socketHost ?? decode(url.hostname, "host").replace(/^\[(.*)\]$/, "$1");
  if (host.includes(","))
    throw wrong("several hosts are not supported: name one, or a proxy that picks the primary");
  const user = parameters.get("user") ?? decode(url.username, "user");
  if (user === "") throw wrong("it names no user: write postgres://user:password@host/database");
  const sslMode = readSslMode(parameters.get("sslmode"));
  checkSession(parameters.get("target_session_attrs"));
  const options = parameters.get("options");
  const base: Omit<PostgresConnection, "ssl"> = {
    host: host === "" ? "localhost" : host,
    port: readNumber("port", parameters.get("port") ?? (url.port === "" ? "5432" : url.port), 65_535),
    user,
    password: parameters.get("password") ?? decode(url.password, "password"),
    database: parameters.get("dbname") ?? (decode(url.pathname.slice(1), "database") || user),
    ...(options === undefined ? {} : { options }),
  };
  const [first, ...others] = tlsCandidates(sslMode, parameters, host.startsWith("/"));
  return {
    candidates: [{ ...base, ssl: first }, ...others.map((ssl) => ({ ...base, ssl }))],
    connectTimeoutSeconds:
      readNumber("connect_timeout", parameters.get("connect_timeout") ?? "15", 3600) || 15,
  };
}

/** The address without its password, for messages. */
export function describeConnection(connection: PostgresConnection): string {
  const { host, port, user, database } = connection;
  const place = host.startsWith("/")
    ? `socket ${host}`
    : `${host.includes(":") ? `[${host}]` : host}:${port}`;
  return `database '${database}' at ${place} as user '${user}'`;
}

function splitUrl(text: string): { url: URL; socketHost: string | undefined } {
  const match = /^(?<scheme>[a-z][a-z0-9+.-]*):\/\//i.exec(text);
  const scheme = match?.groups?.["scheme"]?.toLowerCase();
  if (scheme !== "postgres" && scheme !== "postgresql") {
    const found = scheme === undefined ? "has no scheme" : `has the scheme '${scheme}:'`;
    throw wrong(`it ${found}: write postgres://user:password@host/database`);
  }
  // A percent-encoded socket folder as host, and no host after a user: the WHATWG parser refuses both.
  const rest = text.slice(scheme.length + 3);
  const authority = rest.split(/[/?#]/, 1)[0] ?? "";
  const at = authority.lastIndexOf("@");
  const hostAndPort = authority.slice(at + 1);
  const encoded = /^(%2f[^:]*|)(:\d+)?$/i.exec(hostAndPort);
  const standIn =
    encoded === null
      ? rest
      : `${authority.slice(0, at + 1)}socket${encoded[2] ?? ""}${rest.slice(authority.length)}`;
  const address = `postgres://${standIn}`;
  if (!URL.canParse(address)) {
    throw wrong(
      "it cannot be parsed; percent-encode special characters of user and password (@ is %40, : is %3A, / is %2F)",
    );
  }
  return {
    url: new URL(address),
    socketHost: encoded === null ? undefined : decode(encoded[1] ?? "", "host"),
  };
}

function readParameters(url: URL): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const [name, value] of url.searchParams) {
    if (name === "channel_binding" && value === "require") {
      throw wrong("channel_binding=require cannot be enforced: use sslmode=verify-full instead");
    }
    if (name === "channel_binding" && ["disable", "prefer"].includes(value)) continue;
    if (!PARAMETERS.includes(name)) {
      throw wrong(`its parameter '${name}' is not known; did you mean '${closest(name, PARAMETERS)}'?`);
    }
    if (parameters.has(name)) throw wrong(`its parameter '${name}' is given twice`);
    parameters.set(name, value);
  }
  return parameters;
}

function readSslMode(given: string | undefined): SslMode {
  // libpq's own default.
  if (given === undefined) return "prefer";
  const mode = SSL_MODES.find((candidate) => candidate === given);
  if (mode !== undefined) return mode;
  throw wrong(
    `sslmode '${given}' is not one of ${SSL_MODES.join(", ")}; did you mean '${closest(given, [...SSL_MODES])}'?`,
  );
}

function checkSession(given: string | undefined): void {
  if (given === undefined || ["any", "read-write", "primary"].includes(given)) return;
  throw wrong(
    `target_session_attrs '${given}' cannot work: Plinth needs a server that accepts writes (read-write)`,
  );
}

function tlsCandidates(
  mode: SslMode,
  parameters: Map<string, string>,
  socket: boolean,
): [false | TlsOptions, ...(false | TlsOptions)[]] {
  const rootCertificate = parameters.get("sslrootcert");
  const files = {
    // `system` is libpq's word for the authorities the system trusts: what Node does without `ca`.
    ...readFile("ca", "sslrootcert", rootCertificate === "system" ? undefined : rootCertificate),
    ...readFile("cert", "sslcert", parameters.get("sslcert")),
    ...readFile("key", "sslkey", parameters.get("sslkey")),
  };
  if ("cert" in files !== "key" in files) throw wrong("sslcert and sslkey must be given together");
  const unchecked: TlsOptions = { ...files, rejectUnauthorized: false };
  const chainOnly: TlsOptions = { ...files, rejectUnauthorized: true, checkServerIdentity: () => undefined };
  if (socket) {
    if (mode === "disable" || mode === "allow" || mode === "prefer") return [false];
    throw wrong(`sslmode=${mode} cannot be met on a Unix socket: PostgreSQL has no TLS there`);
  }
  const ways: Record<SslMode, [false | TlsOptions, ...(false | TlsOptions)[]]> = {
    disable: [false],
    allow: [false, unchecked],
    prefer: [unchecked, false],
    // As in libpq: a root certificate that is there is also used.
    require: [rootCertificate === undefined ? unchecked : chainOnly],
    "verify-ca": [chainOnly],
    "verify-full": [{ ...files, rejectUnauthorized: true }],
  };
  return ways[mode];
}

function readFile<K extends string>(
  key: K,
  parameter: string,
  path: string | undefined,
): { [P in K]?: string } {
  if (path === undefined) return {};
  try {
    return { [key]: readFileSync(path, "utf8") } as { [P in K]?: string };
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : "error";
    throw wrong(`the file of ${parameter}, ${path}, cannot be read (${reason})`);
  }
}

function readNumber(name: string, text: string, max: number): number {
  const value = Number(text);
  if (/^\d{1,9}$/.test(text) && value <= max) return value;
  throw wrong(`${name} '${text}' is not a number from 0 to ${max}`);
}

function decode(text: string, part: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw wrong(`the percent-encoding of its ${part} is broken (a plain % is %25)`);
  }
}

const wrong = (reason: string): PlinthError =>
  new PlinthError("invalid_parameter", `--database-url is not valid: ${reason}.`);
