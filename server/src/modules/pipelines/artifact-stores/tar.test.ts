import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { tarOf, type TarFile } from "./tar.ts";

const folder = mkdtempSync(join(tmpdir(), "plinth-tar-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function* bytesOf(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
}
const file = (path: string, text: string): TarFile => ({
  path,
  size: Buffer.byteLength(text),
  bytes: bytesOf(text),
});
const packed = async (files: readonly TarFile[]): Promise<Buffer> =>
  Buffer.concat(await Array.fromAsync(tarOf(files)));

describe("an archive", () => {
  it("is unpacked by tar, whatever the names and lengths", async () => {
    const long = `${"folder/".repeat(30)}ünïcode and blanks.txt`;
    const given = { "a.txt": "", "b/c.bin": "x".repeat(512), "b/d.bin": "y".repeat(100_001), [long]: "z" };
    const archive = await packed(Object.entries(given).map(([path, text]) => file(path, text)));
    expect(archive.length % 512).toBe(0);
    writeFileSync(join(folder, "all.tar"), archive);
    execFileSync("tar", ["-xf", "all.tar"], { cwd: folder });
    for (const [path, text] of Object.entries(given)) {
      expect(readFileSync(join(folder, path), "utf8")).toBe(text);
    }
  });

  it("breaks off where a file is not as long as it was", async () => {
    await expect(packed([{ ...file("a", "abc"), size: 4 }])).rejects.toThrow("3 bytes long");
  });
});
