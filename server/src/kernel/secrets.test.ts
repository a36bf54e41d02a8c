import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSecrets, parseKeys, readKeys } from "./secrets.ts";

const key = randomBytes(32);
const other = randomBytes(32);
const place = "webhook 1";
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "plinth-secrets-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("a sealed text", () => {
  const secrets = createSecrets([key]);

  test("opens to what it was, and never looks the same twice", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string(), (text, where) => {
        const sealed = secrets.seal(text, where);
        expect(sealed).toMatch(/^v1\.[0-9a-f]{8}\.[\w-]+$/);
        expect(secrets.open(sealed, where)).toBe(text);
        expect(secrets.seal(text, where)).not.toBe(sealed);
      }),
    );
  });

  test("shows nothing of the text or the key", () => {
    const sealed = secrets.seal("word of the day", place);
    expect(Buffer.from(sealed.split(".")[2] ?? "", "base64url").includes("word")).toBe(false);
    expect(sealed).not.toContain(key.toString("hex").slice(0, 8));
  });

  test("opens at its own place alone", () => {
    const sealed = secrets.seal("word", place);
    expect(() => secrets.open(sealed, "webhook 2")).toThrow("The secret of webhook 2 cannot be decrypted");
  });

  test("does not open when a bit of it was changed", () => {
    const [version, id, body = ""] = secrets.seal("word", place).split(".");
    const bytes = Buffer.from(body, "base64url");
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const text = [version, id, changed.toString("base64url")].join(".");
      expect(() => secrets.open(text, place)).toThrow("cannot be decrypted");
    }
    const shortened = [version, id, bytes.subarray(0, -1).toString("base64url")].join(".");
    for (const text of ["", "v1", "v1.x.", `v2.${id}.${body}`, `v1.${id}.${body}.x`, shortened]) {
      expect(() => secrets.open(text, place)).toThrow("cannot be decrypted");
    }
  });

  test("names its key: an older one still opens it, a new one seals", () => {
    const before = secrets.seal("word", place);
    const rotated = createSecrets([other, key]);
    expect(rotated.open(before, place)).toBe("word");
    const after = rotated.seal("word", place);
    expect(after.split(".")[1]).not.toBe(before.split(".")[1]);
    expect(() => secrets.open(after, place)).toThrow(`encrypted with the key '${after.split(".")[1]}'`);
  });

  test("is not made without a key", () => {
    const none = createSecrets([]);
    expect(() => none.seal("word", place)).toThrow("--secrets-key-file");
    expect(() => none.open(secrets.seal("word", place), place)).toThrow("which this server was not given");
  });
});

describe("keys", () => {
  test("are 32 bytes in base64 or hexadecimal", () => {
    const text = `${key.toString("base64")},\n${other.toString("hex")} ${key.toString("base64url")}\n`;
    expect(parseKeys(text, "x")).toEqual([key, other, key]);
  });

  test.each([
    "",
    " ",
    "short",
    "a".repeat(63),
    randomBytes(31).toString("base64"),
    randomBytes(33).toString("hex"),
  ])("are not %j", (text) => expect(() => parseKeys(text, "the file")).toThrow("the file holds no key"));

  test("come from the setting, a file, or nowhere", async () => {
    const none = { key: undefined, keyFile: undefined, keyCommand: undefined, ownFile: undefined };
    const file = join(folder, "given");
    await writeFile(file, key.toString("base64"));
    expect(await readKeys({ ...none, key: other.toString("hex"), keyFile: file })).toEqual([other]);
    expect(await readKeys({ ...none, keyFile: file })).toEqual([key]);
    expect(await readKeys(none)).toEqual([]);
    await expect(readKeys({ ...none, keyFile: join(folder, "missing") })).rejects.toThrow("cannot be read");
  });

  test("come from a program, which no shell runs", async () => {
    const none = { key: undefined, keyFile: undefined, ownFile: undefined };
    const file = join(folder, "$(touch here) given");
    await writeFile(file, `${key.toString("hex")}\n${other.toString("hex")}\n`);
    expect(await readKeys({ ...none, keyCommand: ["cat", file] })).toEqual([key, other]);
    const failing = (keyCommand: string[]): Promise<Buffer[]> => readKeys({ ...none, keyCommand });
    await expect(failing(["cat", join(folder, "missing")])).rejects.toThrow("cat gave no key: cat:");
    await expect(failing([join(folder, "no-program")])).rejects.toThrow("gave no key");
    await expect(failing(["echo", "not a key"])).rejects.toThrow("--secrets-key-command holds no key");
  });

  test("of one's own are made once, for the owner alone", async () => {
    const file = join(folder, "own", "secrets.key");
    const source = { key: undefined, keyFile: undefined, keyCommand: undefined, ownFile: file };
    const made = await readKeys(source);
    expect(await readKeys(source)).toEqual(made);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(folder, "own"))).toEqual(["secrets.key"]);
    expect((await readFile(file, "utf8")).trim()).toBe(made[0]?.toString("base64"));
    await chmod(file, 0o644);
    await expect(readKeys(source)).rejects.toThrow("can be read by others");
  });
});
