import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type Json, type TestServer } from "../../../test/harness.ts";
import { createVersion, MODELS, newModel, query, VERSIONS } from "../../../test/registry.ts";
import { accepted, API, newRun, refusal } from "../../../test/runs.ts";

let server: TestServer;
let run: string;
let model: string;
let loggedModel: Json;

beforeAll(async () => {
  server = await startTestServer();
  run = await newRun(server);
  model = await newModel(server);
  const body = { experiment_id: "0", name: "lm", source_run_id: run };
  loggedModel = accepted(await server.post(`${API}/logged-models`, body)).model.info;
});
afterAll(() => server[Symbol.asyncDispose]());

const getArtifact = (path: string): string =>
  `/model-versions/get-artifact?${query({ name: model, version: "1", path })}`;

/** What upstream's fixes were about: one source each, as it was published. */
const published: readonly (readonly [cve: string, source: string, path: string])[] = [
  ["CVE-2023-1177", "file:///etc/", "passwd"],
  ["CVE-2023-1176", "/etc", "passwd"],
  ["CVE-2023-2356", "mlflow-artifacts:/../../etc", "passwd"],
  ["CVE-2023-2780", "//proc/self/root", "etc/passwd"],
  ["CVE-2023-2780, a host", "file://localhost/etc", "passwd"],
  ["CVE-2023-2780, capitals", "FILE:///etc", "passwd"],
  ["CVE-2023-6909", "http:///?/../../../../etc/", "passwd"],
  ["CVE-2023-6974", "http://169.254.169.254/", "latest/meta-data"],
  ["CVE-2023-6977", "//proc/self/root", "etc/passwd"],
  ["CVE-2024-1483", "http:///#/../../../../../../../../etc/", "passwd"],
  ["CVE-2024-1558", "mlflow-artifacts:/%2e%2e/%2e%2e/etc", "passwd"],
  ["CVE-2024-1558, twice", "mlflow-artifacts:/%252e%252e/%252e%252e/etc", "passwd"],
  ["CVE-2024-1593", "http:///;/../../../etc/", "passwd"],
  ["CVE-2024-1594", "mlflow-artifacts:/#/../../../etc/", "passwd"],
  ["CVE-2024-2928", "http:///#/../../../etc/", "passwd"],
  ["CVE-2024-3573, no scheme", "://etc", "passwd"],
  ["CVE-2024-3573, no slash", "file:etc", "passwd"],
  ["CVE-2024-3573, no scheme and host", ":///etc", "passwd"],
  ["CVE-2024-3848", "file:///#/../../../etc/", "passwd"],
  ["CVE-2024-8859", "dbfs:/x?/../../etc", "passwd"],
  ["CVE-2024-8859, parameters", "dbfs:/x#/../../etc", "passwd"],
  ["CVE-2023-6753", "..\\..\\x", "y"],
  ["CVE-2023-6753, a drive", "C:x", "y"],
  ["GHSA-mr9f-g8qf-4w4j", "mlflow-artifacts://user@169.254.169.254:80/latest", "x"],
];

describe("a source that has been a hole", () => {
  test.each(published)("%s: %s", async (_cve, source, path) => {
    const holders = [
      {},
      { run_id: run },
      { model_id: loggedModel.model_id as string },
      { run_id: run, model_id: loggedModel.model_id as string },
    ];
    for (const holder of holders) {
      expect(refusal(await createVersion(server, model, { source, ...holder }))).toEqual([
        400,
        "INVALID_PARAMETER_VALUE",
        expect.any(String),
      ]);
    }
    const answer = await server.get(getArtifact(path));
    expect(answer.status).toBe(404);
    expect(answer.text).not.toContain("root:");
  });

  test("CVE-2023-1176: what is there and what is not are refused in the same words", async () => {
    const [there, missing] = await Promise.all(
      ["/etc/passwd", "/etc/nothing"].map((source) => createVersion(server, model, { source, run_id: run })),
    );
    expect(there?.text.replace("/etc/passwd", "")).toBe(missing?.text.replace("/etc/nothing", ""));
    expect(there?.status).toBe(400);
  });

  // The check of a source was left out for prompts: CVE-2026-2614.
  test.each(["true", "TRUE", "false", ""])("CVE-2026-2614: as a prompt '%s'", async (value) => {
    const tags = [{ key: "mlflow.prompt.is_prompt", value }];
    for (const source of ["/etc", "file:///etc", "mlflow-artifacts:/../etc"]) {
      const answer = await createVersion(server, model, { source, tags });
      expect([400, 501]).toContain(answer.status);
    }
    expect((await server.get(getArtifact("passwd"))).status).toBe(404);
  });

  test("CVE-2025-11201: names of models and versions are no paths", async () => {
    for (const name of ["../x", "..", ".", "a/../../x", "/etc", "file:///etc"]) {
      expect(refusal(await server.post(`${MODELS}/create`, { name }))).toEqual([
        400,
        "INVALID_PARAMETER_VALUE",
        expect.any(String),
      ]);
    }
    for (const version of ["../1", "1/../..", "%2e%2e", "1\u0000"]) {
      const path = `/model-versions/get-artifact?${query({ name: model, version, path: "x" })}`;
      expect((await server.get(path)).status).toBe(400);
    }
  });

  test("CVE-2024-3099: names that decode or compose to one another are models of their own", async () => {
    const names = ["a b", "a%20b", "a+b", "a%2520b", "e\u0301", "\u00e9", "A b"];
    for (const name of names) {
      accepted(await server.post(`${MODELS}/create`, { name, description: JSON.stringify(name) }));
    }
    for (const name of names) {
      const found = accepted(await server.get(`${MODELS}/get?${query({ name })}`)).registered_model;
      expect(found).toMatchObject({ name, description: JSON.stringify(name) });
    }
  });
});

const pieces = [
  "mlflow-artifacts:",
  "runs:",
  "models:",
  "s3:",
  "file:",
  "FILE:",
  "http:",
  "dbfs:",
  "/",
  "//",
  "///",
  "\\",
  ".",
  "..",
  "%2e",
  "%2E%2e",
  "%252e",
  "%25252e",
  "%2f",
  "%5c",
  "%00",
  "%23",
  "#",
  "?",
  ";",
  "@",
  ":",
  "etc",
  "proc/self/root",
  "localhost",
  "a",
  " ",
  "~",
];

/** Decoded until nothing changes. */
function plain(text: string): string {
  const next = text.replaceAll(/%([0-9a-f]{2})/gi, (_all, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return next === text ? text : plain(next);
}

describe("a source of dangerous pieces", () => {
  test("is refused, or leads to a place that is no path of the server and does not climb", async () => {
    const rooted = [
      `runs:/${run}/`,
      `mlflow-artifacts:/0/${run}/artifacts/`,
      loggedModel.artifact_uri as string,
    ];
    const source = fc
      .tuple(
        fc.constantFrom("", ...rooted),
        fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 8 }),
      )
      .map(([start, rest]) => start + rest.join(""));
    const holder = fc.constantFrom({}, { run_id: run }, { model_id: loggedModel.model_id as string });
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(source, holder, async (given, fields) => {
        const answer = await createVersion(server, model, { source: given, ...fields });
        if (answer.status !== 200) {
          expect([400, 404]).toContain(answer.status);
          return;
        }
        taken += 1;
        const { version } = answer.json.model_version;
        const path = `${VERSIONS}/get-download-uri?${query({ name: model, version })}`;
        const location = plain(accepted(await server.get(path)).artifact_uri as string);
        // Other schemes are for clients to read; these are not, of whatever host.
        expect(location).toMatch(/^(?!(?:file|https?|ftp):)[a-z][a-z0-9+.-]*:\//i);
        expect(location).not.toContain("\\");
        expect(location).not.toContain("\u0000");
        expect(location.split(/[/?#;]/)).not.toContain("..");
        if (/^mlflow-artifacts:/i.test(location)) {
          const roots = [`mlflow-artifacts:/0/${run}/artifacts`, loggedModel.artifact_uri as string];
          expect(roots.some((root) => location === root || location.startsWith(`${root}/`))).toBe(true);
        }
        if (/^runs:/i.test(location) && !location.startsWith(`runs:/${run}/`)) {
          // A run that is named is not looked up before its files are asked for: there are none.
          const files = `/model-versions/get-artifact?${query({ name: model, version, path: "MLmodel" })}`;
          expect([400, 404]).toContain((await server.get(files)).status);
        }
      }),
      { numRuns: 1000 },
    );
    expect(taken).toBeGreaterThan(0);
  });
});
