import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { createDigester, digestOf } from "./digest.ts";

const shared = (bytes: Buffer): Buffer => {
  const copy = Buffer.from(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
};

test("the thread finds what hashing at once finds, for several at a time", async () => {
  const all = await Promise.all(
    (["md5", "sha256", "md5", "sha256"] as const).map(async (name) => {
      const bytes = randomBytes(300_000);
      const digester = createDigester(name);
      for (let at = 0; at < bytes.length; at += 70_000) {
        await digester.update(shared(bytes.subarray(at, at + 70_000)));
      }
      return { found: await digester.finish(), expected: digestOf(name, bytes) };
    }),
  );
  for (const { found, expected } of all) expect(found).toEqual(expected);
});

test("a digest that is given up is forgotten", async () => {
  const digester = createDigester("md5");
  await digester.update(shared(Buffer.from("half")));
  digester.abort();
  expect(await digester.finish()).toEqual(digestOf("md5", Buffer.alloc(0)));
});

test("the thread does not keep a process alive that has nothing else to do", async () => {
  const script = `
    const { createDigester } = await import(${JSON.stringify(new URL("digest.ts", import.meta.url).href)});
    const digester = createDigester("md5");
    const work = setTimeout(() => undefined, 60_000);
    await digester.update(Buffer.from(new SharedArrayBuffer(10)));
    clearTimeout(work);`;
  const run = promisify(execFile);
  const args = ["--input-type=module", "--eval", script];
  await expect(run(process.execPath, args, { timeout: 20_000 })).resolves.toMatchObject({ stderr: "" });
});
