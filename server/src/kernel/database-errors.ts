import { invalidParameter, PlinthError, unavailable } from "./errors.ts";

/** The fields of a PostgreSQL error that rules may look at. Never its message: that may show SQL or data. */
type ServerError = { code: string; constraint?: string };

const serverError = (error: unknown): ServerError | undefined => {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? (error as ServerError) : undefined;
};

/** True for what PostgreSQL itself answered. */
export const isServerError = (error: unknown): error is Error =>
  error instanceof Error && /^[0-9A-Z]{5}$/.test(serverError(error)?.code ?? "");

/** True when a unique, foreign key or check constraint of that name refused a row. */
export function violates(error: unknown, constraint: string): boolean {
  const found = serverError(error);
  return found !== undefined && found.code.startsWith("23") && found.constraint === constraint;
}

/** True when a row refers to one that is not there, or is referred to by one that is. */
export const isForeignKeyViolation = (error: unknown): boolean => serverError(error)?.code === "23503";

/** Serialization failure or deadlock: nothing was changed, the same work may simply be done again. */
export function isConflict(error: unknown): boolean {
  const code = serverError(error)?.code;
  return code === "40001" || code === "40P01";
}

const connectionCodes = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ENOENT",
  "ETIMEDOUT",
  "EHOSTUNREACH",
]);

/** The server went away, is starting or stopping: whether a commit in flight was done is unknown. */
export function isConnectionLoss(error: unknown): boolean {
  const code = serverError(error)?.code;
  if (code !== undefined) {
    // 08: connection exception; 57P01-57P03: shutdown, crash, starting up; 53300: too many connections.
    return code.startsWith("08") || code.startsWith("57P0") || code === "53300" || connectionCodes.has(code);
  }
  // node-postgres reports a cut socket with a plain Error without a code.
  return (
    error instanceof Error &&
    /^(Connection terminated|Query read timeout|timeout exceeded when trying to connect|Client has encountered a connection error)/.test(
      error.message,
    )
  );
}

/** The statement itself cannot succeed with these values (class 22: data exception, or a check). */
export function isDataError(error: unknown): boolean {
  const code = serverError(error)?.code;
  return code !== undefined && (code.startsWith("22") || code.startsWith("23"));
}

/** Turns any database failure into the one error type, keeping SQL out of the message. */
export function toPlinthError(error: unknown): PlinthError {
  if (error instanceof PlinthError) return error;
  const code = serverError(error)?.code;
  if (isConnectionLoss(error))
    return unavailable("The database is not reachable right now. Try again.", error);
  if (isConflict(error)) return unavailable("Concurrent writers kept colliding. Try again.", error);
  if (code === "57014") {
    return new PlinthError("statement_timeout", "The query took longer than this server allows; narrow it.", {
      cause: error,
    });
  }
  if (code === "53100") {
    return new PlinthError("no_space", "The database has no space left on its disk.", { cause: error });
  }
  if (code?.startsWith("53")) return unavailable("The database is out of resources. Try again.", error);
  if (code === "22021" || code === "22P05") {
    return invalidParameter("A value holds a null byte or a character that is not valid UTF-8.");
  }
  if (code === "23503") return unavailable("What this belongs to was removed meanwhile. Try again.", error);
  if (code?.startsWith("22")) return invalidParameter("A value is out of the range that can be stored.");
  if (code === "54000" || code === "54001") return invalidParameter("The query is too complex.");
  return new PlinthError("internal", "Internal error; see the server log.", { cause: error });
}
