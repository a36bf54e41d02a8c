// Programs that the suites need besides what the repository locks, from Debian.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Installs packages where that is wanted: as root, in CI or with PLINTH_INSTALL=1. Answers whether it was; throws where it
 * fails. One at a time, because apt-get refuses to run beside itself.
 */
export function installFromDebian(...packages: string[]): boolean {
  const isWanted = Boolean(process.env["CI"]) || process.env["PLINTH_INSTALL"] === "1";
  if (!isWanted || process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) return false;
  process.stderr.write(`conformance: installing ${packages.join(" ")} ...\n`);
  for (const args of [
    ["update", "-qq"],
    ["install", "-y", "-qq", "--no-install-recommends", ...packages],
  ]) {
    const done = spawnSync("flock", [join(tmpdir(), "plinth-apt.lock"), "apt-get", ...args], {
      encoding: "utf8",
      // Servers that come with a service are not started.
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" },
      timeout: 600_000,
    });
    if (done.status !== 0) {
      throw new Error(`'apt-get ${args.join(" ")}' ended with ${done.status}: ${done.stdout}${done.stderr}`);
    }
  }
  return true;
}
