import {
  Agent as HttpAgent,
  request as requestHttp,
  type IncomingMessage,
  type RequestOptions,
} from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { setTimeout as wait } from "node:timers/promises";
import { parseJson } from "../../kernel/json.ts";

export type RestOptions = {
  /** The server's address; it may hold user and password. */
  url: string;
  username?: string | undefined;
  password?: string | undefined;
  token?: string | undefined;
  /** Certificates, in PEM, of who signed the server's; and the own one with its key. */
  certificateAuthority?: string | undefined;
  clientCertificate?: string | undefined;
  insecureTls?: boolean | undefined;
  /** Before the first repetition; doubles from one to the next. */
  firstWaitMs?: number;
};

/** What the server said no to, or how the way to it failed. */
export class RestError extends Error {
  override readonly name = "RestError";
  /** Of the answer; 0 when there was none. */
  readonly status: number;
  /** MLflow's, such as RESOURCE_DOES_NOT_EXIST. */
  readonly code: string | undefined;
  /** Whether the same request may succeed a little later. */
  readonly transient: boolean;

  constructor(message: string, of: { status: number; code?: string | undefined; transient: boolean }) {
    super(message);
    this.status = of.status;
    this.code = of.code;
    this.transient = of.transient;
  }
}

export type RestCall = {
  method: "GET" | "POST";
  /** Behind the address, such as `/api/2.0/mlflow/runs/search`. */
  path: string;
  query?: readonly (readonly [string, string])[];
  body?: unknown;
  workspace?: string | undefined;
  /** Times the request is sent at most. */
  attempts?: number;
};

export type RestClient = {
  /** Without user and password, and without a slash at its end. */
  readonly address: string;
  /** The answer as JSON, integers beyond 2^53 as bigints. */
  json(call: RestCall): Promise<unknown>;
  text(call: RestCall): Promise<string>;
  /** An answer of any size. */
  stream(call: RestCall): Promise<AsyncIterable<Uint8Array>>;
  close(): void;
};

const ATTEMPTS = 8;
const MAX_WAIT_MS = 30_000;
/** Without a byte from the server. A search of 100,000 runs takes MLflow half a minute. */
const SILENCE_MS = 180_000;
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;
export const CONNECTIONS = 8;

/** An HTTP client for one server: repeats what may be repeated, and takes no more than it can hold. */
export function createRestClient(options: RestOptions): RestClient {
  const { base, headers } = readAddress(options);
  const agent = createAgent(base, options);
  const address = (base.origin + base.pathname).replace(/\/+$/, "");

  const send = (call: RestCall): Promise<IncomingMessage> => {
    const parameters = new URLSearchParams();
    for (const [name, value] of call.query ?? []) parameters.append(name, value);
    const query = parameters.toString();
    const url = new URL(address + call.path + (query === "" ? "" : `?${query}`));
    const body = call.body === undefined ? undefined : JSON.stringify(call.body);
    const requestOptions: RequestOptions = {
      agent,
      method: call.method,
      timeout: SILENCE_MS,
      headers: {
        ...headers,
        ...(call.workspace === undefined ? {} : { "x-mlflow-workspace": call.workspace }),
        ...(body === undefined
          ? {}
          : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
      },
    };
    return new Promise((resolve, reject) => {
      const request = (base.protocol === "https:" ? requestHttps : requestHttp)(url, requestOptions, resolve);
      request.on("timeout", () => request.destroy(new Error(`no byte came for ${SILENCE_MS / 1000} s`)));
      request.on("error", reject);
      request.end(body);
    });
  };

  /** Sends until there is an answer of 2xx; `read` takes it, and may fail halfway as well. */
  const call = async <T>(given: RestCall, read: (answer: IncomingMessage) => Promise<T>): Promise<T> => {
    const shown = `${given.method} ${address}${given.path}`;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const answer = await send(given);
        if (answer.statusCode !== undefined && answer.statusCode >= 200 && answer.statusCode < 300) {
          return await read(answer);
        }
        throw await refusal(answer, shown);
      } catch (error) {
        const known = error instanceof RestError ? error : lost(error, shown);
        if (!known.transient || attempt >= (given.attempts ?? ATTEMPTS)) throw known;
        const backOff = (options.firstWaitMs ?? 500) * 2 ** (attempt - 1) * (0.75 + Math.random() / 2);
        await wait(Math.min(MAX_WAIT_MS, Math.max(backOff, retryAfter.get(known) ?? 0)));
      }
    }
  };

  return {
    address,
    json: (given) =>
      call(given, async (answer) => {
        const bytes = await readBody(answer);
        const value = readJson(bytes);
        if (value === undefined) throw notMlflow(answer, `${given.method} ${address}${given.path}`, bytes);
        return value;
      }),
    text: (given) => call(given, async (answer) => (await readBody(answer)).toString("utf8")),
    stream: (given) => call(given, async (answer) => withClearErrors(answer, `${address}${given.path}`)),
    close: () => agent.destroy(),
  };
}

function readAddress(options: RestOptions): { base: URL; headers: Record<string, string> } {
  const base = new URL(options.url);
  const username = decodeURIComponent(base.username) || options.username;
  const password = decodeURIComponent(base.password) || options.password;
  const headers: Record<string, string> = { accept: "*/*", "user-agent": "plinth-import" };
  if (username !== undefined && password !== undefined) {
    headers["authorization"] = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  } else if (options.token !== undefined) headers["authorization"] = `Bearer ${options.token}`;
  return { base, headers };
}

function createAgent(base: URL, options: RestOptions): HttpAgent {
  const common = { keepAlive: true, maxSockets: CONNECTIONS };
  if (base.protocol !== "https:") return new HttpAgent(common);
  const { certificateAuthority: ca, clientCertificate, insecureTls } = options;
  return new HttpsAgent({
    ...common,
    rejectUnauthorized: insecureTls !== true,
    ...(ca === undefined ? {} : { ca }),
    ...(clientCertificate === undefined ? {} : { cert: clientCertificate, key: clientCertificate }),
  });
}

async function readBody(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) {
      answer.destroy();
      throw new RestError(`The server's answer is larger than ${MAX_ANSWER_BYTES / 1024 / 1024} MiB.`, {
        status: answer.statusCode ?? 0,
        code: TOO_LARGE,
        transient: false,
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/** The code of an answer that was too large: a smaller page may do. */
export const TOO_LARGE = "ANSWER_TOO_LARGE";

const LONG_INTEGER = /[:[,\s]-?\d{16,}[\s,}\]]/;

function readJson(bytes: Buffer): unknown {
  try {
    return parseJson(bytes, LONG_INTEGER.test(bytes.toString("latin1")));
  } catch {
    // Half of a surrogate pair, which no database holds.
    return undefined;
  }
}

const retryAfter = new WeakMap<RestError, number>();
/** MLflow answers 500 also for what will not change; its own error says so. */
const TRANSIENT = new Set([408, 425, 429, 500, 502, 503, 504]);

async function refusal(answer: IncomingMessage, shown: string): Promise<RestError> {
  const status = answer.statusCode ?? 0;
  if (status >= 300 && status < 400) {
    answer.resume();
    const to = answer.headers.location ?? "nowhere";
    const message = `${shown} leads to ${to}: give the address where the server itself answers.`;
    return new RestError(message, { status, transient: false });
  }
  const bytes = await readBody(answer);
  const value = readJson(bytes);
  const field = (name: string): string | undefined => {
    const found =
      typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
    return typeof found === "string" ? found : undefined;
  };
  const code = field("error_code");
  const said = field("message") ?? bytes.toString("utf8", 0, 200);
  const hint =
    status === 401 || status === 403
      ? " Give user and password in the address or in MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or a token in MLFLOW_TRACKING_TOKEN."
      : "";
  const error = new RestError(`${shown} was answered with ${status}: ${said.slice(0, 500)}${hint}`, {
    status,
    code,
    transient: TRANSIENT.has(status) && code !== "FEATURE_DISABLED" && code !== "INVALID_STATE",
  });
  const seconds = Number(answer.headers["retry-after"]);
  if (Number.isFinite(seconds)) retryAfter.set(error, seconds * 1000);
  return error;
}

function notMlflow(answer: IncomingMessage, shown: string, bytes: Buffer): RestError {
  const type = answer.headers["content-type"] ?? "no content type";
  const message =
    `${shown} was answered with ${answer.statusCode} and ${type}, which is not MLflow's JSON. Is it the address of a ` +
    `tracking server? It begins with ${JSON.stringify(bytes.toString("utf8", 0, 60))}`;
  return new RestError(message, { status: answer.statusCode ?? 0, transient: false });
}

const PERMANENT = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ENOTFOUND|EPROTO|HPE_|ERR_TLS|ERR_INVALID|HOSTNAME/;

function lost(error: unknown, shown: string): RestError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const what = error instanceof Error && error.message !== "" ? error.message : code;
  const hint = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code)
    ? " Name the certificate of who signed it in MLFLOW_TRACKING_SERVER_CERT_PATH."
    : "";
  return new RestError(`${shown}: ${what}.${hint}`, { status: 0, transient: !PERMANENT.test(code) });
}

async function* withClearErrors(answer: IncomingMessage, shown: string): AsyncGenerator<Uint8Array> {
  try {
    yield* answer as AsyncIterable<Buffer>;
  } catch (error) {
    throw lost(error, `GET ${shown}`);
  }
}
