import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type Answer, type TestServer } from "../../../test/harness.ts";
import { createVersion, newModel, query } from "../../../test/registry.ts";
import { accepted, API, newRun } from "../../../test/runs.ts";

let server: TestServer;
let run: string;
let registered: string;

beforeAll(async () => {
  server = await startTestServer();
  run = await newRun(server);
  registered = await newModel(server);
});
afterAll(() => server[Symbol.asyncDispose]());

/** Writes a file below a location of the server's own store. */
async function put(location: string, path: string, text: string): Promise<void> {
  const url = `${location.replace("mlflow-artifacts:", "/api/2.0/mlflow-artifacts/artifacts")}/${path}`;
  expect((await server.call("PUT", url, text)).status).toBe(200);
}

async function logModel(fields: {
  name: string;
  source_run_id: string;
  experiment_id?: string;
}): Promise<string> {
  const { model } = accepted(await server.post(`${API}/logged-models`, { experiment_id: "0", ...fields }));
  return model.info.artifact_uri;
}

/** A version of that source, and what is read of it. */
async function versionOf(source: string): Promise<(path: string) => Promise<Answer>> {
  const { model_version: made } = accepted(await createVersion(server, registered, { source, run_id: run }));
  return (path) =>
    server.get(`/model-versions/get-artifact?${query({ name: registered, version: made.version, path })}`);
}

describe("the files of a version of `runs:/<run>/<name>`", () => {
  test("are those of the run", async () => {
    await put(`mlflow-artifacts:/0/${run}/artifacts`, "in-run/MLmodel", "of the run");
    const read = await versionOf(`runs:/${run}/in-run`);
    expect((await read("MLmodel")).text).toBe("of the run");
    expect((await read("nothing")).status).toBe(404);
  });

  test("are those of the newest model of that name that the run logged", async () => {
    await put(await logModel({ name: "logged", source_run_id: run }), "MLmodel", "older");
    const root = await logModel({ name: "logged", source_run_id: run });
    await put(root, "MLmodel", "newest");
    await put(root, "deep/data.txt", "below");
    expect((await (await versionOf(`runs:/${run}/logged`))("MLmodel")).text).toBe("newest");
    expect((await (await versionOf(`runs:/${run}/logged/deep`))("data.txt")).text).toBe("below");
    expect((await (await versionOf(`runs:/${run}/logged`))("deep")).status).toBe(400);
  });

  test("are of both, and the model wins where both have one", async () => {
    const root = await logModel({ name: "both", source_run_id: run });
    await put(root, "MLmodel", "of the model");
    await put(`mlflow-artifacts:/0/${run}/artifacts`, "both/MLmodel", "of the run");
    await put(`mlflow-artifacts:/0/${run}/artifacts`, "both/more.txt", "of the run only");
    const read = await versionOf(`runs:/${run}/both`);
    expect((await read("MLmodel")).text).toBe("of the model");
    expect((await read("more.txt")).text).toBe("of the run only");
  });

  test("are not those of a model elsewhere that says it comes from the run, nor of a deleted one", async () => {
    const { experiment_id: other } = accepted(
      await server.post(`${API}/experiments/create`, { name: "elsewhere" }),
    );
    await put(
      await logModel({ name: "claimed", source_run_id: run, experiment_id: other }),
      "MLmodel",
      "claimed",
    );
    const gone = await logModel({ name: "claimed", source_run_id: run });
    await put(gone, "MLmodel", "deleted");
    const id = gone.split("/").at(-2) ?? "";
    expect((await server.call("DELETE", `${API}/logged-models/${id}`)).status).toBe(200);
    expect((await (await versionOf(`runs:/${run}/claimed`))("MLmodel")).status).toBe(404);
  });
});
