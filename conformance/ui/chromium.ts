// Debian's Chromium: there, or installed where this suite may install (as root, or in CI), or clearly not there.
import { existsSync } from "node:fs";
import { installFromDebian } from "../src/debian.ts";

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
  if (installFromDebian("chromium", "fonts-liberation")) {
    const installed = find();
    if (installed !== undefined) return installed;
  }
  if (process.env["CI"])
    throw new Error("The UI suite needs Chromium, and could not install it: apt-get install chromium.");
  process.stderr.write(
    "conformance: MLflow's web UI is not walked: there is no Chromium. Install it (Debian: apt-get install chromium), " +
      "set PLINTH_CHROMIUM to one, or as root set PLINTH_INSTALL=1 to have it installed.\n",
  );
  return undefined;
}
