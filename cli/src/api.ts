import { consoleError } from "@plinth/contract";
import { CommandFailure, exitCodes, type ExitCode } from "./failure.ts";

export type Query = Readonly<Record<string, string | number | undefined>>;

export type ApiRequest = {
  query?: Query;
  body?: unknown;
  /** The answer may take as long as it takes. */
  patient?: boolean;
};

/** Plinth's own API, over a socket or right on the database. Answers are checked by who asked for them. */
export type Api = AsyncDisposable & {
  /** For messages: an address, or which database. */
  readonly place: string;
  /** The JSON of the answer; undefined where there is none. Throws `ApiFailure`. */
  request(method: string, path: string, given?: ApiRequest): Promise<unknown>;
  /** The answer as it comes. */
  stream(path: string, query: Query): AsyncIterable<string>;
};

/** What the server refused, in its words. */
export class ApiFailure extends CommandFailure {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message, exitCodeOf(status));
    this.status = status;
  }
}

/** A wrong value is a wrong call, what is not there is a no. */
function exitCodeOf(status: number): ExitCode {
  if (status === 400) return exitCodes.wrongCall;
  return status === 404 ? exitCodes.no : exitCodes.failed;
}

export function failureOf(status: number, body: string, place: string): ApiFailure {
  const { message } = readError(body);
  if (status === 401) {
    return new ApiFailure(status, `${place} asks for a login: ${message} Run \`plinth login ${place}\`.`);
  }
  return new ApiFailure(status, `${message} (${status})`);
}

function readError(body: string): { message: string } {
  try {
    const read = consoleError.safeParse(JSON.parse(body));
    if (read.success) return read.data.error;
  } catch {
    // No answer of Plinth's.
  }
  return { message: body === "" ? "no reason given" : body.slice(0, 300) };
}

export function pathWith(path: string, query: Query = {}): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  );
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given).toString()}`;
}

/** A path of parts that may hold anything. */
export const pathOf = (...parts: readonly string[]): string =>
  `/console/api/${parts.map((part) => encodeURIComponent(part)).join("/")}`;

export function parseBody(text: string): unknown {
  return text === "" ? undefined : JSON.parse(text);
}
