import { failureOf, parseBody, pathWith, type Api } from "./api.ts";
import { CommandFailure, exitCodes } from "./failure.ts";

const PATIENCE_MS = 60_000;

/** Plinth's own API at an address. Credentials go to that address alone: no redirection is followed. */
export const httpApi = (address: string, secret: string | undefined): Api =>
  apiAt(address, secret === undefined ? {} : { authorization: `Bearer ${secret}` });

/** The same by name and password. */
export const basicApi = (address: string, name: string, password: string): Api =>
  apiAt(address, { authorization: `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}` });

function apiAt(address: string, authorization: Readonly<Record<string, string>>): Api {
  const send = async (
    path: string,
    { patient, ...init }: RequestInit & { patient: boolean },
  ): Promise<Response> => {
    let response: Response;
    try {
      response = await fetch(address + path, {
        ...init,
        redirect: "manual",
        ...(patient ? {} : { signal: AbortSignal.timeout(PATIENCE_MS) }),
        headers: {
          ...(init.body === undefined ? {} : { "content-type": "application/json" }),
          ...authorization,
        },
      });
    } catch (error) {
      throw noAnswer(address, error);
    }
    if (response.status >= 300 && response.status < 400) {
      throw new CommandFailure(
        `${address} sends elsewhere (${response.headers.get("location") ?? "nowhere"}): name that address instead.`,
      );
    }
    if (!response.ok) throw failureOf(response.status, await response.text(), address);
    return response;
  };
  return {
    place: address,
    async request(method, path, { query, body, patient = false } = {}) {
      const response = await send(pathWith(path, query), {
        method,
        patient,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return parseBody(await response.text());
    },
    async *stream(path, query) {
      const response = await send(pathWith(path, query), { patient: true });
      if (response.body === null) return;
      const decoder = new TextDecoder();
      for await (const chunk of response.body) yield decoder.decode(chunk, { stream: true });
      yield decoder.decode();
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

export function noAnswer(address: string, error: unknown): CommandFailure {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
  return new CommandFailure(`Plinth does not answer at ${address} (${code}).`, exitCodes.no);
}
