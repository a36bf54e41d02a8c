import { invalidParameter, PlinthError } from "../../kernel/errors.ts";

const UNREACHABLE = new Set(["ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT", "EHOSTUNREACH"]);

/** What a driver's code of an error means to whoever named the database. */
export type Meaning = "credentials" | "database" | "permission";

/** The error of a driver in words: what is wrong with the source, or that it cannot be reached or read. */
export function explainReading(
  error: unknown,
  place: string,
  meanings: Readonly<Record<string, Meaning>>,
): Error {
  if (error instanceof PlinthError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const meaning = meanings[code];
  if (meaning === "credentials")
    return invalidParameter(`${place} refuses this user or password (${message}).`);
  if (meaning === "database") return invalidParameter(`${place}: there is no such database.`);
  if (meaning === "permission") {
    return invalidParameter(`${place}: this user may not read MLflow's tables (${message}).`);
  }
  const text = UNREACHABLE.has(code)
    ? `${place} cannot be reached (${code}).`
    : `${place} could not be read: ${message || code}`;
  return new PlinthError("unavailable", text, { cause: error });
}
