// A client that does nothing by itself: no retry, no redirect, one connection that it keeps.
import { Agent, request } from "node:http";

/** Not a measure of speed: a hang must end the test. */
const PATIENCE_MS = 30_000;

export type Answer = { status: number; body: Buffer; closes: boolean; contentType: string };

export type Client = {
  /** Throws when no whole answer came. */
  send: (method: string, path: string, body?: Buffer | object) => Promise<Answer>;
  close: () => void;
};

export function createClient(url: string): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const { hostname, port } = new URL(url);
  return {
    send: (method, path, body) =>
      new Promise((done, failed) => {
        const bytes = body === undefined || Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
        const type = Buffer.isBuffer(body) ? "application/octet-stream" : "application/json";
        const headers =
          bytes === undefined ? {} : { "content-type": type, "content-length": String(bytes.byteLength) };
        const outgoing = request(
          { agent, hostname, port, method, path, headers, signal: AbortSignal.timeout(PATIENCE_MS) },
          (incoming) => {
            const chunks: Buffer[] = [];
            incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
            incoming.once("error", failed);
            incoming.once("end", () => {
              done({
                status: incoming.statusCode ?? 0,
                body: Buffer.concat(chunks),
                closes: incoming.headers.connection?.toLowerCase() === "close",
                contentType: incoming.headers["content-type"] ?? "",
              });
            });
          },
        );
        outgoing.once("error", (error) =>
          failed(new Error(`${method} ${path} got no whole answer: ${error.message}`, { cause: error })),
        );
        outgoing.end(bytes);
      }),
    close: () => agent.destroy(),
  };
}

/** A client for one piece of work. */
export async function inClient<T>({ url }: { url: string }, use: (client: Client) => Promise<T>): Promise<T> {
  const client = createClient(url);
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

const api = "/api/2.0/mlflow";

/** Sends and returns the parsed answer; anything but 200 is an error of the test. */
export async function call<T>(client: Client, method: string, path: string, body?: object): Promise<T> {
  const answer = await client.send(method, `${api}/${path}`, body);
  const text = answer.body.toString("utf8");
  if (answer.status !== 200) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
  return JSON.parse(text) as T;
}

export type Run = {
  info: { run_id: string; run_name: string; artifact_uri: string };
  data: {
    metrics?: { key: string; value: number; step: number }[];
    params?: { key: string; value: string }[];
    tags?: { key: string; value: string }[];
  };
};

export const createExperiment = async (client: Client, name: string): Promise<string> =>
  (await call<{ experiment_id: string }>(client, "POST", "experiments/create", { name })).experiment_id;

export const createRun = async (client: Client, experiment: string, name: string): Promise<Run> =>
  (await call<{ run: Run }>(client, "POST", "runs/create", { experiment_id: experiment, run_name: name }))
    .run;

/** Where the artifacts of a run are put and read. */
export const artifactPath = (run: Run, name: string): string =>
  `/api/2.0/mlflow-artifacts/artifacts/${run.info.artifact_uri.replace(/^mlflow-artifacts:\/*/, "")}/${name}`;
