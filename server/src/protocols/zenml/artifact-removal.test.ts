import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { Answer } from "../../../test/harness.ts";
import { startS3Server } from "../../../test/s3-server.ts";
import { logWorld, s3Configuration } from "../../../test/zenml-logs.ts";
import { startZenmlTeam } from "../../../test/zenml-team.ts";

const s3 = await startS3Server();
const { server, editor, viewer, ids } = await startZenmlTeam("team", {
  flags: { "outbound-allowed-hosts": "127.0.0.1" },
});
const world = await logWorld(server, "team", ids.editor);
const store = await world.component({}, s3Configuration(s3));
const local = await world.component({ flavor: "local" }, { path: "" });

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await s3[Symbol.asyncDispose]();
});

const API = "/api/v1/artifact_versions";
const uri = (key: string): string => `s3://${s3.bucket}/store/${key}`;
const kept = ["outside/data.bin", "store/modeling/data.bin"];
const files = ["store/model/data.bin", "store/model/meta/a.json", "store/model/meta/ü b.json"];

let count = 0;
const newVersion = (address: string, of: string | null = store): Promise<string> =>
  world.artifactVersion({ name: `data ${(count += 1)}`, uri: address, store: of });
const remove = (id: string, query: string, by = editor): Promise<Answer> =>
  by.call("DELETE", `${API}/${id}?${query}`);

beforeEach(() => {
  for (const key of [...kept, ...files]) s3.put(key, "bytes");
});

describe("the data of an artifact", () => {
  it("is deleted where that is asked for, with the version or without", async () => {
    const id = await newVersion(uri("model"));
    expect((await remove(id, "delete_metadata=false&delete_from_artifact_store=true", viewer)).status).toBe(
      403,
    );
    expect(s3.keys().toSorted()).toStrictEqual([...kept, ...files].toSorted());
    const data = await remove(id, "delete_metadata=false&delete_from_artifact_store=true");
    expect([data.status, data.text]).toStrictEqual([200, "null"]);
    expect(s3.keys().toSorted()).toStrictEqual(kept);
    expect((await editor.get(`${API}/${id}`)).status).toBe(200);
    expect((await remove(id, "delete_from_artifact_store=true")).status).toBe(200);
    expect((await editor.get(`${API}/${id}`)).status).toBe(404);
  });

  it("stays, and the version with it, where it cannot be deleted", async () => {
    const answers: [string, string | null, number, string][] = [
      [uri("model"), null, 400, "has no artifact store"],
      ["/tmp/model", local, 500, "could not be deleted"],
      [`s3://${s3.bucket}/outside`, store, 500, "outside of artifact store"],
      [uri("../outside"), store, 500, "outside of artifact store"],
      [uri(""), store, 500, "outside of artifact store"],
    ];
    for (const [address, of, status, message] of answers) {
      const id = await newVersion(address, of);
      const answer = await remove(id, "delete_from_artifact_store=true");
      expect([address, answer.status, answer.text]).toStrictEqual([
        address,
        status,
        expect.stringContaining(message),
      ]);
      expect((await editor.get(`${API}/${id}`)).status).toBe(200);
    }
    const refused = await newVersion(uri("model"));
    s3.answer = { status: 403, code: "AccessDenied" };
    const answer = await remove(refused, "delete_from_artifact_store=true");
    s3.answer = undefined;
    expect([answer.status, answer.json.detail[0]]).toStrictEqual([500, "RuntimeError"]);
    expect(answer.text).not.toContain("an inner detail");
    expect(s3.keys().toSorted()).toStrictEqual([...kept, ...files].toSorted());
  });

  it("stays where only the version is deleted", async () => {
    const id = await newVersion(uri("model"));
    await remove(id, "");
    expect(s3.keys()).toHaveLength(kept.length + files.length);
  });
});
