// `npm run check`: everything that is judged without starting a server. Runs all parts, then
// fails if any did, so that one run shows all there is to mend.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const bin = (name: string): string => join(root, "node_modules", ".bin", name);

type Part = { name: string; command: readonly string[] };

const parts: Part[] = [
  { name: "format", command: [bin("oxfmt"), "--check", "."] },
  { name: "lint", command: [bin("oxlint"), "--type-aware", "--deny-warnings", "."] },
  { name: "import direction", command: [process.execPath, join(root, "scripts", "check-imports.ts")] },
  { name: "types", command: [bin("tsc"), "--noEmit", "-p", root] },
  { name: "dead code", command: [bin("knip"), "--no-progress"] },
];
if (!process.argv.includes("--without-tests")) {
  parts.push({
    name: "tests",
    command: [process.execPath, join(root, "node_modules/vitest/vitest.mjs"), "run"],
  });
}

const failed: string[] = [];
for (const { name, command } of parts) {
  const [program, ...args] = command;
  process.stdout.write(`\n== ${name}\n`);
  const done = spawnSync(program as string, args, { cwd: root, stdio: "inherit" });
  if (done.status !== 0) failed.push(name);
}
process.stdout.write(`\n${parts.length - failed.length} passed, ${failed.length} failed\n`);
if (failed.length > 0) process.stdout.write(`failed: ${failed.join(", ")}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;
