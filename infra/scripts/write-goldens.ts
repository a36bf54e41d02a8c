// Writes infra/golden anew from infra/examples: `node infra/scripts/write-goldens.ts`. Look at the diff before you commit it.
import { rmSync } from "node:fs";
import { goldens, goldenFolder } from "../src/golden.ts";
import { planFolder, writeFolder } from "../src/output-folder.ts";

let failed = false;
for (const { name, environment, files, findings } of await goldens()) {
  for (const { severity, file, line, message, rule } of findings) {
    process.stdout.write(`${name}: ${severity} ${file}:${line} ${message} [${rule}]\n`);
  }
  if (findings.some(({ severity }) => severity === "error")) {
    failed = true;
    continue;
  }
  const folder = goldenFolder(name);
  rmSync(folder, { recursive: true, force: true });
  const { changes } = planFolder(folder, files, environment);
  writeFolder(folder, files, { environment, changes });
  process.stdout.write(`${name}: ${files.length} files\n`);
}
process.exitCode = failed ? 1 : 0;
