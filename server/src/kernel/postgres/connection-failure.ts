import { PlinthError } from "../errors.ts";
import { describeConnection, type PostgresConnection } from "./connection.ts";

/** What to say for each code of Node's network and TLS, and of PostgreSQL's SQLSTATE. */
const REASONS: Readonly<Record<string, (connection: PostgresConnection) => string>> = {
  ECONNREFUSED: () => "nothing listens there. Check host and port, and that the server runs.",
  ENOENT: (c) =>
    `there is no socket .s.PGSQL.${c.port} in ${c.host}. Check the folder, and that the server runs.`,
  EACCES: () => "the socket may not be opened by this user.",
  ENOTFOUND: (c) => `the host name '${c.host}' is not known. Check its spelling and the name server.`,
  EAI_AGAIN: (c) => `the host name '${c.host}' cannot be looked up just now. Check the name server.`,
  ETIMEDOUT: () => "it does not answer. Check host, port and firewall.",
  EHOSTUNREACH: () => "there is no way to that host. Check the address and the network.",
  ENETUNREACH: () => "there is no way to that network. Check the address and the network.",
  ECONNRESET: () => "it closed the connection at once. Check that PostgreSQL listens on that port.",
  DEPTH_ZERO_SELF_SIGNED_CERT: () => `its certificate is self-signed. ${CERTIFICATE}`,
  SELF_SIGNED_CERT_IN_CHAIN: () =>
    `its certificate comes from an authority that is not trusted here. ${CERTIFICATE}`,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: () =>
    `its certificate comes from an authority that is not trusted here. ${CERTIFICATE}`,
  UNABLE_TO_GET_ISSUER_CERT: () =>
    `its certificate comes from an authority that is not trusted here. ${CERTIFICATE}`,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: () =>
    `its certificate comes from an authority that is not trusted here. ${CERTIFICATE}`,
  CERT_SIGNATURE_FAILURE: () => `its certificate was not signed by the given authority. ${CERTIFICATE}`,
  CERT_HAS_EXPIRED: () => "its certificate has expired. Renew it on the server.",
  CERT_NOT_YET_VALID: () => "its certificate is not valid yet. Check the clocks of both machines.",
  ERR_TLS_CERT_ALTNAME_INVALID: (c) =>
    `its certificate is not for '${c.host}'. Use the name in the certificate, or sslmode=verify-ca.`,
  "28P01": () => "the password is wrong, or there is no such user.",
  "28000": () =>
    "the server does not let this user in from here (pg_hba.conf): the user may not exist, the address may not be allowed, or TLS may be required (sslmode=require).",
  "3D000": (c) =>
    `there is no such database. Run: create database "${c.database}" owner "${c.user}" encoding 'UTF8' template template0;`,
  "42501": (c) =>
    `the user may not connect to it. Run: grant connect on database "${c.database}" to "${c.user}";`,
  "53300": () => "it has no connections left. Raise max_connections, or lower --pool-size.",
  "57P01": () => "it is stopping.",
  "57P03": () => "it is still starting or recovering. Try again when it is ready.",
};

const CERTIFICATE = "Give its authority's certificate with sslrootcert=FILE.";

/** For failures that node-postgres tells by words alone. */
const WORDS: readonly [RegExp, string][] = [
  [
    /does not support SSL/,
    "it offers no TLS, which the sslmode asks for. Turn TLS on there, or use sslmode=disable.",
  ],
  [
    /client password must be/,
    "it asks for a password, and the address has none: postgres://user:password@host/database.",
  ],
  [/timeout|timed out/i, "it does not answer in time. Check host, port and firewall."],
  [
    /terminated unexpectedly|invalid response|Unknown message|unexpected/i,
    "what listens there does not speak PostgreSQL's protocol. Check host and port.",
  ],
];

/** One clear sentence for a connection that failed. The password is never part of it. */
export function connectionFailure(error: Error, connection: PostgresConnection): PlinthError {
  const cause = firstOf(error);
  const code = "code" in cause ? String(cause.code) : "";
  const reason =
    REASONS[code]?.(connection) ??
    WORDS.find(([pattern]) => pattern.test(cause.message))?.[1] ??
    (code.startsWith("ERR_SSL") || code === "EPROTO"
      ? `TLS failed (${cause.message.split("\n")[0]}).`
      : `${cause.message}${code === "" ? "" : ` (${code})`}.`);
  return new PlinthError("unavailable", `Cannot use the ${describeConnection(connection)}: ${reason}`, {
    cause,
  });
}

/** A name with several addresses fails with all their errors at once; they are alike. */
function firstOf(error: Error): Error {
  if (!(error instanceof AggregateError)) return error;
  const first: unknown = error.errors[0];
  return first instanceof Error ? first : error;
}
