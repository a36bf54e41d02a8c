import { describe, expect, it } from "vitest";
import { missingFile, type ArtifactStore } from "./artifact-stores/store.ts";
import { createLogFiles, logFilesOf } from "./log-files.ts";

const uri = "gs://bucket/store/logs/one";
const files = (...names: string[]) => names.map((name) => ({ uri: `${uri}${name}`, size: 1 }));
const namesOf = (...names: string[]): string[] =>
  logFilesOf(uri, files(...names)).map((file) => file.uri.slice(uri.length));

describe("the files of a log", () => {
  it("are the one of its address, or those in its folder by their names", () => {
    expect(namesOf("", "/1.log")).toStrictEqual([""]);
    expect(namesOf("/2.5.log", "/1.5.log", "/deeper/0.log")).toStrictEqual(["/1.5.log", "/2.5.log"]);
  });

  it("are not shown besides what they were merged into", () => {
    expect(namesOf("/1.log", "/2.log", "/3_merged.log", "/4.log")).toStrictEqual(["/3_merged.log", "/4.log"]);
    expect(namesOf("/3_merged.log", "/5.log", "/6_merged.log", "/7.log")).toStrictEqual([
      "/3_merged.log",
      "/6_merged.log",
      "/7.log",
    ]);
  });
});

/** A store in memory, which stands for somebody else's. */
function storeOf(objects: Map<string, string>): ArtifactStore & { lists: number } {
  return {
    name: "store",
    lists: 0,
    async *list(prefix) {
      this.lists += 1;
      const found = [...objects].filter(([name]) => name.startsWith(prefix));
      yield found.map(([name, text]) => ({ uri: name, size: Buffer.byteLength(text) }));
    },
    async read(name, start, end) {
      const text = objects.get(name);
      if (text === undefined) throw missingFile(name, "store");
      return Buffer.from(text).subarray(start, end);
    },
    async remove(name) {
      objects.delete(name);
    },
  };
}

describe("the bytes of a log", () => {
  it("are those of its files, one behind the other", async () => {
    const parts = Array.from({ length: 30 }, (_, at) => `part ${at}${"x".repeat(at % 4)}\n`);
    const objects = new Map(parts.map((text, at) => [`${uri}/${1000 + at}.log`, text]));
    const whole = parts.join("");
    const logFiles = createLogFiles({ now: () => 0 });
    const store = storeOf(objects);
    await logFiles.read(store, uri, async (bytes) => {
      expect(bytes.size).toBe(whole.length);
      for (let start = 0; start < whole.length; start += 7) {
        for (const length of [0, 1, 8, 100, 1000]) {
          const found = await bytes.read(start, start + length);
          expect(found.toString()).toBe(whole.slice(start, start + length));
        }
      }
    });
    expect(store.lists).toBe(1);
  });

  it("are looked for anew when files were merged meanwhile", async () => {
    let now = 0;
    const objects = new Map([
      [`${uri}/1.log`, "one\n"],
      [`${uri}/2.log`, "two\n"],
    ]);
    const logFiles = createLogFiles({ now: () => now });
    const store = storeOf(objects);
    const read = (): Promise<string> =>
      logFiles.read(store, uri, async (bytes) => (await bytes.read(0, bytes.size)).toString());
    expect(await read()).toBe("one\ntwo\n");
    objects.clear();
    objects.set(`${uri}/3_merged.log`, "one\ntwo\n");
    expect(await read()).toBe("one\ntwo\n");
    objects.set(`${uri}/4.log`, "three\n");
    expect(await read()).toBe("one\ntwo\n");
    now += 3000;
    expect(await read()).toBe("one\ntwo\nthree\n");
    objects.clear();
    await expect(read()).rejects.toMatchObject({ kind: "missing" });
  });
});
