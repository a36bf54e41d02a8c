import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { runsOf, rowsOf } from "./file-store-fixture.ts";
import type { SourceProblem } from "./problem.ts";
import type { RestOptions } from "./rest-client.ts";
import { openRestSource } from "./rest.ts";
import type { SourceArtifacts } from "./source.ts";

type Handler = (request: IncomingMessage, response: ServerResponse, path: string) => void;

/** A server that says what a test wants it to say. */
async function serve(handle: Handler): Promise<AsyncDisposable & { url: string; seen: IncomingMessage[] }> {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    handle(request, response, (request.url ?? "").replace(/\?.*/, ""));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const json = (response: ServerResponse, value: unknown, status = 200): void => {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
};

const EXPERIMENT = {
  experiment_id: "1",
  name: "e",
  artifact_location: "mlflow-artifacts:/1",
  lifecycle_stage: "active",
};
const RUN = "a".repeat(32);
const run = {
  info: {
    run_id: RUN,
    experiment_id: "1",
    status: "FINISHED",
    artifact_uri: `mlflow-artifacts:/1/${RUN}/artifacts`,
  },
};

/** An MLflow server with one experiment and one run, where `special` says nothing else. */
const mlflow =
  (special: (path: string, response: ServerResponse, request: IncomingMessage) => boolean): Handler =>
  (request, response, path) => {
    if (special(path, response, request)) return;
    if (path === "/version") response.end("2.9.2");
    else if (path.endsWith("/experiments/search")) json(response, { experiments: [EXPERIMENT] });
    else if (path.endsWith("/runs/search")) json(response, { runs: [run] });
    else json(response, { error_code: "ENDPOINT_NOT_FOUND", message: "no" }, 404);
  };

const problems: SourceProblem[] = [];
const open = (url: string, more: Partial<RestOptions> = {}) =>
  openRestSource({ url, firstWaitMs: 1, onProblem: (problem) => problems.push(problem), ...more });

describe("a server that is slow to come round", () => {
  it("is asked again after 503, 429 and lost connections, and nothing is read twice", async () => {
    let calls = 0;
    await using server = await serve(
      mlflow((path, response) => {
        if (!path.endsWith("/runs/search")) return false;
        calls += 1;
        if (calls === 1) json(response, { message: "busy" }, 503);
        else if (calls === 2) response.writeHead(429, { "retry-after": "0" }).end("slow down");
        else if (calls === 3) response.destroy();
        else if (calls === 4)
          response.writeHead(200, { "content-length": "100" }).write("{", () => response.destroy());
        else return false;
        return true;
      }),
    );
    const source = await open(server.url);
    expect((await runsOf(source)).runs.map(({ run_uuid }) => run_uuid)).toEqual([RUN]);
    expect(calls).toBe(5);
    await source.close();
  });

  it("is given up after eight times, with its last words", async () => {
    let calls = 0;
    await using server = await serve(
      mlflow((path, response) => {
        if (!path.endsWith("/runs/search")) return false;
        calls += 1;
        json(response, { error_code: "INTERNAL_ERROR", message: "out of order" }, 500);
        return true;
      }),
    );
    const source = await open(server.url);
    await expect(runsOf(source)).rejects.toThrow(/runs\/search was answered with 500: out of order/);
    expect(calls).toBe(8);
    await source.close();
  });
});

describe("what is no tracking server", () => {
  it.each<[string, Handler, RegExp]>([
    [
      "a web page",
      (_request, response) => void response.setHeader("content-type", "text/html").end("<html>hello"),
      /is not MLflow's JSON.*<html>hello/,
    ],
    [
      "other JSON",
      (_request, response) => json(response, { experiments: "none" }),
      /is not what MLflow answers: 'experiments'/,
    ],
    ["a number", (_request, response) => json(response, 7), /is not what MLflow answers/],
    [
      "an experiment that is a path",
      (_request, response) => json(response, { experiments: [{ ...EXPERIMENT, experiment_id: "../1" }] }),
      /'experiments.0.experiment_id'/,
    ],
    [
      "a redirect",
      (_request, response) => void response.writeHead(302, { location: "https://elsewhere/" }).end(),
      /leads to https:\/\/elsewhere\//,
    ],
    [
      "one that wants a password",
      (_request, response) => json(response, { message: "who?" }, 401),
      /401: who\?.*MLFLOW_TRACKING_USERNAME/,
    ],
    [
      "one that has nothing here",
      (_request, response) => void response.writeHead(404).end("nothing"),
      /404: nothing/,
    ],
    [
      "a newer MLflow",
      (request, response, path) =>
        path === "/version" ? void response.end("4.0.1") : mlflow(() => false)(request, response, path),
      /is MLflow 4\.0\.1; this Plinth knows MLflow up to 3\.17/,
    ],
  ])("%s is refused", async (...[, handle, message]) => {
    await using server = await serve(handle);
    await expect(open(server.url)).rejects.toThrow(message);
  });

  it("an address where nobody listens is refused", async () => {
    const server = await serve(() => undefined);
    await server[Symbol.asyncDispose]();
    await expect(open(server.url)).rejects.toThrow(/ECONNREFUSED/);
  });
});

describe("a hostile server", () => {
  it("that never comes to an end of its pages is left", async () => {
    await using server = await serve(
      mlflow((path, response) => {
        if (!path.endsWith("/runs/search")) return false;
        json(response, { runs: [], next_page_token: "again" });
        return true;
      }),
    );
    const source = await open(server.url);
    await expect(runsOf(source)).rejects.toThrow(/the page after this one is this one/);
    await source.close();
  });

  it.each<[string, unknown]>([
    ["a value that is none", { metrics: [{ key: "m", value: "x", timestamp: 1, step: 0 }] }],
    [
      "a step beyond 64 bits",
      { metrics: [{ key: "m", value: 1, timestamp: 1, step: "99999999999999999999" }] },
    ],
    ["no list", { metrics: { length: 1 } }],
  ])("that answers a history with %s is refused", async (...[, answer]) => {
    await using server = await serve(
      mlflow((path, response) => {
        const metrics = [{ key: "m", value: 1, timestamp: 1, step: 0 }];
        if (path.endsWith("/runs/search")) json(response, { runs: [{ ...run, data: { metrics } }] });
        else if (path.endsWith("/get-history")) json(response, answer);
        else return false;
        return true;
      }),
    );
    const source = await open(server.url);
    await expect(runsOf(source)).rejects.toThrow(/is not what MLflow answers: no list of points/);
    await source.close();
  });

  it("that answers for runs nobody asked for is asked for each run alone", async () => {
    await using server = await serve(
      mlflow((path, response, request) => {
        const point = { key: "m", value: 1, timestamp: 1, step: 0 };
        const other = { ...run, info: { ...run.info, run_id: "b".repeat(32) } };
        if (path.endsWith("/runs/search"))
          json(response, { runs: [run, other].map((one) => ({ ...one, data: { metrics: [point] } })) });
        else if (path.endsWith("/get-history-bulk"))
          json(response, { metrics: [{ ...point, run_id: "c".repeat(32) }] });
        else if (path.endsWith("/get-history"))
          json(response, { metrics: [{ ...point, value: request.url?.includes(RUN) === true ? 2 : 3 }] });
        else return false;
        return true;
      }),
    );
    const source = await open(server.url);
    expect((await runsOf(source)).points).toEqual([`${RUN}/m 1 2 0`, `${"b".repeat(32)}/m 1 3 0`]);
    await source.close();
  });

  it("that names files outside of the folder has them told, and the others listed", async () => {
    problems.length = 0;
    await using server = await serve(
      mlflow((path, response) => {
        if (!path.endsWith("/mlflow-artifacts/artifacts")) return false;
        json(response, {
          files: ["../x", "/etc/passwd", "..", "a/b/c", "good"].map((name) => ({ path: name, file_size: 1 })),
        });
        return true;
      }),
    );
    const source = await open(server.url);
    const files = await Array.fromAsync(
      (source.artifacts as SourceArtifacts).list("mlflow-artifacts:/1", undefined),
    );
    expect(files).toEqual([{ path: "good", size: 1 }]);
    expect(problems.map(({ what }) => what)).toEqual(
      ['"../x"', '"/etc/passwd"', '".."', '"a/b/c"'].map((name) => `names the file ${name}`),
    );
    await source.close();
  });

  it("whose folders have no end is left", async () => {
    await using server = await serve(
      mlflow((path, response) => {
        if (!path.endsWith("/mlflow-artifacts/artifacts")) return false;
        json(response, { files: [{ path: "again", is_dir: true }] });
        return true;
      }),
    );
    const source = await open(server.url);
    const listing = Array.fromAsync(
      (source.artifacts as SourceArtifacts).list("mlflow-artifacts:/1", undefined),
    );
    await expect(listing).rejects.toThrow(/100 folders deep/);
    await source.close();
  });
});

describe("who the import is", () => {
  const authorization = async (
    address: (url: string) => string,
    more: Partial<RestOptions> = {},
  ): Promise<unknown> => {
    await using server = await serve(mlflow(() => false));
    const source = await open(address(server.url), more);
    expect(source.description.place).toBe(server.url);
    await source.close();
    return server.seen[0]?.headers.authorization;
  };
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString("base64")}`;

  it("comes from the address, from user and password, or from a token", async () => {
    const withUser = (url: string): string => url.replace("//", "//me%40x:pa%3Ass@");
    expect(await authorization(withUser, { username: "other", password: "x" })).toBe(basic("me@x:pa:ss"));
    expect(await authorization((url) => url, { username: "me", password: "ü" })).toBe(basic("me:ü"));
    expect(await authorization((url) => url, { token: "t" })).toBe("Bearer t");
    expect(await authorization((url) => url)).toBeUndefined();
  });
});

describe("workspaces of a server", () => {
  it("are each read by their name", async () => {
    await using server = await serve(
      mlflow((path, response, request) => {
        if (path.endsWith("/server-info")) json(response, { workspaces_enabled: true });
        else if (path.endsWith("/workspaces"))
          json(response, { workspaces: [{ name: "ops" }, { name: "default" }] });
        else if (path.endsWith("/experiments/search")) {
          const workspace = String(request.headers["x-mlflow-workspace"] ?? "none");
          json(response, {
            experiments: [{ ...EXPERIMENT, experiment_id: workspace === "ops" ? "2" : "1", name: workspace }],
          });
        } else return false;
        return true;
      }),
    );
    const source = await open(server.url);
    expect(await rowsOf(source.experiments(undefined))).toMatchObject([
      { workspace: "default", experiment_id: "1", name: "default" },
      { workspace: "ops", experiment_id: "2", name: "ops" },
    ]);
    expect((await source.workspaces()).map(({ name }) => name)).toEqual(["default", "ops"]);
    await source.close();
  });
});
