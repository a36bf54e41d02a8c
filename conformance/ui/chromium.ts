// Debian's Chromium: there, or installed where this suite may install (as root, or in CI), or clearly not there.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

const find = (): string | undefined => {
  const given = process.env["PLINTH_CHROMIUM"];
  if (given) {
    if (existsSync(given)) return given;
    throw new Error(`PLINTH_CHROMIUM names '${given}', which is not there.`);
  }
  return places.find((place) => existsSync(place));
};

/** The path of the browser. Outside of CI undefined where there is none; in CI nothing is skipped. */
export function ensureChromium(): string | undefined {
  const found = find();
  if (found !== undefined) return found;
  const isCi = Boolean(process.env["CI"]);
  const isRoot = process.getuid?.() === 0;
  if (isRoot && (isCi || process.env["PLINTH_INSTALL"] === "1")) {
    aptGet(["update", "-qq"]);
    aptGet(["install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-liberation"]);
    const installed = find();
    if (installed !== undefined) return installed;
  }
  if (isCi)
    throw new Error("The UI suite needs Chromium, and could not install it: apt-get install chromium.");
  process.stderr.write(
    "conformance: MLflow's web UI is not walked: there is no Chromium. Install it (Debian: apt-get install chromium), " +
      "set PLINTH_CHROMIUM to one, or as root set PLINTH_INSTALL=1 to have it installed.\n",
  );
  return undefined;
}

function aptGet(args: readonly string[]): void {
  const done = spawnSync("apt-get", args, {
    encoding: "utf8",
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    timeout: 600_000,
  });
  if (done.status !== 0) {
    throw new Error(`'apt-get ${args.join(" ")}' ended with ${done.status}: ${done.stdout}${done.stderr}`);
  }
}
