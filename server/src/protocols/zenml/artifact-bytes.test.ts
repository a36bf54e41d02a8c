import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { startS3Server } from "../../../test/s3-server.ts";
import { withHeaders } from "../../../test/workspaces.ts";
import { logWorld, s3Configuration } from "../../../test/zenml-logs.ts";
import { startZenmlTeam } from "../../../test/zenml-team.ts";

const s3 = await startS3Server();
const { server, viewer, stranger, ids } = await startZenmlTeam("team", {
  stranger: "admin",
  flags: { "outbound-allowed-hosts": "127.0.0.1" },
});
const world = await logWorld(server, "team", ids.editor);
const store = await world.component({}, s3Configuration(s3));
const local = await world.component({ flavor: "local" }, { path: "" });
const folder = mkdtempSync(join(tmpdir(), "plinth-artifact-"));

afterAll(async () => {
  rmSync(folder, { recursive: true });
  await server[Symbol.asyncDispose]();
  await s3[Symbol.asyncDispose]();
});

const API = "/api/v1/artifact_versions";
const uri = (key: string): string => `s3://${s3.bucket}/store/${key}`;
const image = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0xff, 0x00]);
const big = Buffer.alloc(9 * 1024 * 1024 + 7, "big ");
s3.put("store/shown/page.html", "<h1>ünïcode</h1>");
s3.put("store/shown/image.png", image);
s3.put("store/model/data.bin", big);
s3.put("store/model/meta/info.json", "{}");
s3.put("store/modeling/other.bin", "of another");
s3.put("outside.html", "a secret");

const shown = await world.artifactVersion({ name: "shown", uri: uri("shown"), store }, [
  { type: "html", uri: uri("shown/page.html") },
  { type: "image", uri: uri("shown/image.png") },
  { type: "csv", uri: uri("shown/gone.csv") },
  { type: "html", uri: `s3://${s3.bucket}/outside.html` },
  { type: "html", uri: "/etc/passwd" },
]);
const model = await world.artifactVersion({ name: "my model/é", uri: uri("model"), store });

describe("visualizations of artifacts", () => {
  it("are shown as text, images in base64", async () => {
    const page = await viewer.get(`${API}/${shown}/visualize`);
    expect(page.json).toStrictEqual({ type: "html", value: "<h1>ünïcode</h1>" });
    const picture = await viewer.get(`${API}/${shown}/visualize?index=1`);
    expect(picture.json).toStrictEqual({ type: "image", value: image.toString("base64") });
  });

  it("are told to be none where they are not", async () => {
    const answers: [string, number, string][] = [
      [`${shown}/visualize?index=2`, 404, "DoesNotExistException"],
      [`${shown}/visualize?index=3`, 404, "DoesNotExistException"],
      [`${shown}/visualize?index=4`, 403, "IllegalOperationError"],
      [`${shown}/visualize?index=5`, 404, "DoesNotExistException"],
      [`${shown}/visualize?index=-1`, 404, "DoesNotExistException"],
      [`${model}/visualize`, 404, "DoesNotExistException"],
      [`${randomUUID()}/visualize`, 404, "KeyError"],
    ];
    for (const [path, status, error] of answers) {
      const answer = await viewer.get(`${API}/${path}`);
      expect([path, answer.status, answer.json.detail[0]]).toStrictEqual([path, status, error]);
    }
    const bad = await viewer.get(`${API}/${shown}/visualize?index=x`);
    expect([bad.status, bad.json[0]]).toStrictEqual([422, "ValueError"]);
    const onClient = await world.artifactVersion({ name: "local", uri: "/tmp/x", store: local }, [
      { type: "html", uri: "/tmp/x/page.html" },
    ]);
    const refused = await viewer.get(`${API}/${onClient}/visualize`);
    expect(refused.json.detail).toStrictEqual([
      "IllegalOperationError",
      "Files in a local artifact store cannot be accessed from the server.",
    ]);
    const orphan = await world.artifactVersion({ name: "orphan", uri: uri("x"), store: null });
    expect((await viewer.get(`${API}/${orphan}/visualize`)).status).toBe(404);
  });

  it("are for those with a part in the project", async () => {
    const unknown = randomUUID();
    for (const what of ["visualize", "download-token"]) {
      const hidden = await stranger.get(`${API}/${shown}/${what}`);
      const missing = await stranger.get(`${API}/${unknown}/${what}`);
      expect(hidden.status).toBe(404);
      expect(hidden.text.replaceAll(shown, unknown)).toBe(missing.text);
    }
  });
});

describe("the bytes of an artifact", () => {
  const tokenFor = async (id: string): Promise<string> =>
    (await viewer.get(`${API}/${id}/download-token`)).json as string;

  it("are an archive, for whoever has a token", async () => {
    const token = await tokenFor(model);
    const answer = await fetch(`${server.url}${API}/${model}/data?token=${token}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("application/gzip");
    expect(answer.headers.get("content-disposition")).toContain(
      "filename*=UTF-8''my%20model%2F%C3%A9-1.tar.gz",
    );
    expect(answer.headers.get("content-security-policy")).toContain("sandbox");
    writeFileSync(join(folder, "model.tar.gz"), Buffer.from(await answer.arrayBuffer()));
    const names = execFileSync("tar", ["-tzf", "model.tar.gz"], { cwd: folder }).toString();
    expect(names.trim().split("\n").toSorted()).toStrictEqual(["data.bin", "meta/info.json"]);
    execFileSync("tar", ["-xzf", "model.tar.gz"], { cwd: folder });
    expect(readFileSync(join(folder, "data.bin")).equals(big)).toBe(true);
  });

  it("are refused without a token for just this", async () => {
    const other = await tokenFor(model);
    for (const token of [other, "x", `${other.slice(0, -2)}AA`]) {
      const answer = await server.get(`${API}/${shown}/data?token=${token}`);
      expect([answer.status, answer.json.detail[0]]).toStrictEqual([401, "CredentialsNotValid"]);
    }
    const asCode = await server.get(`/api/v1/pipeline_snapshots/${model}/code?token=${other}`);
    expect(asCode.status).toBe(401);
    expect((await viewer.get(`${API}/${model}/data`)).status).toBe(422);
    const withToken = withHeaders(server, { authorization: `Bearer ${other}` });
    expect((await withToken.get(`${API}/${model}`)).status).toBe(401);
  });

  it("are not what lies elsewhere", async () => {
    const answers: [string, string, number][] = [
      ["gone", uri("gone"), 404],
      ["above", `s3://${s3.bucket}/store/../outside.html`, 404],
      ["beside", `s3://${s3.bucket}/outside.html`, 404],
      ["here", "file:///etc", 403],
    ];
    for (const [name, address, status] of answers) {
      const id = await world.artifactVersion({ name, uri: address, store });
      expect([name, (await viewer.get(`${API}/${id}/download-token`)).status]).toStrictEqual([name, status]);
    }
  });
});

describe("the code of a snapshot", () => {
  const code = `/api/v1/pipeline_snapshots/${world.snapshotId}`;
  const set = (column: "code_path" | "stack_id", value: string): Promise<unknown> =>
    server.database.prepared(
      {
        name: `test_set_${column}`,
        text: `update pipelines.snapshots set ${column} = $2 where id = $1`,
      },
      [world.snapshotId, value],
    );

  it("is handed out as it was put there", async () => {
    expect((await viewer.get(`${code}/download-token`)).json.detail[1]).toContain("has no code path");
    await set("code_path", uri("code_uploads/abc.tar.gz"));
    expect((await viewer.get(`${code}/download-token`)).json.detail[1]).toContain("has no stack");
    const stackId = randomUUID();
    const text = "insert into pipelines.stacks (id, name, created, updated) values ($1::uuid, 'code', 1, 1)";
    await server.database.prepared({ name: "test_stack", text }, [stackId]);
    const member = "insert into pipelines.stack_components values ($1::uuid, $2::uuid, 0)";
    await server.database.prepared({ name: "test_member", text: member }, [stackId, store]);
    await set("stack_id", stackId);
    expect((await viewer.get(`${code}/download-token`)).status).toBe(404);
    s3.put("store/code_uploads/abc.tar.gz", big);
    const token = (await viewer.get(`${code}/download-token`)).json as string;
    const answer = await fetch(`${server.url}${code}/code?token=${token}`);
    expect(answer.headers.get("content-disposition")).toContain(`${world.snapshotId}-code.tar.gz`);
    expect(Buffer.from(await answer.arrayBuffer()).equals(big)).toBe(true);
    expect((await stranger.get(`${code}/download-token`)).status).toBe(404);
  });
});
