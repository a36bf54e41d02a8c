// Lua as Argo CD runs it: the same interpreter, an object as the global `obj`, a table with `status` as the answer.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensurePrograms } from "./tools.ts";

export interface Health {
  readonly status: string;
  readonly message: string;
}

/** What the script says of the object's health; throws when it does not parse or ends in an error. */
export async function healthBy(script: string, object: object): Promise<Health> {
  const program = join(await ensurePrograms("lua"), "glua");
  const folder = mkdtempSync(join(tmpdir(), "plinth-lua-"));
  try {
    const file = join(folder, "health.lua");
    const call = `obj = ${literal(object)}\nlocal answer = (function()\n${script}\nend)()\n`;
    writeFileSync(file, `${call}print(answer.status)\nprint(answer.message or "")\n`);
    const done = spawnSync(program, [file], { encoding: "utf8" });
    if (done.status !== 0 || done.stderr !== "") throw new Error(`${done.stdout}${done.stderr}`);
    const [status = "", ...message] = done.stdout.trimEnd().split("\n");
    return { status, message: message.join("\n") };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function literal(value: unknown): string {
  if (Array.isArray(value)) return `{${value.map(literal).join(", ")}}`;
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).map(([name, one]) => `[${JSON.stringify(name)}] = ${literal(one)}`);
    return `{${fields.join(", ")}}`;
  }
  return value === null ? "nil" : JSON.stringify(value);
}
