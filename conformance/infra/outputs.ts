// Whole outputs of `plinth synth`, which the suites of this folder judge: those of the examples, or of the folder that
// PLINTH_OUTPUTS names, which holds one folder for each environment.
import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

const folder = process.env["PLINTH_OUTPUTS"] ?? join(import.meta.dirname, "..", "..", "infra", "golden");

export interface Output {
  readonly name: string;
  readonly folder: string;
  /** Folders that hold a kustomization.yaml, below `folder`. */
  readonly kustomizations: readonly string[];
}

export function readOutputs(): readonly Output[] {
  const found = globSync("*/k8s-manifests", { cwd: folder })
    .map(dirname)
    .sort()
    .map((name) => {
      const kustomizations = globSync("**/kustomization.yaml", { cwd: join(folder, name) }).map(dirname);
      return { name, folder: join(folder, name), kustomizations: kustomizations.sort() };
    });
  if (found.length === 0) throw new Error(`There is no output of plinth synth in ${folder}.`);
  return found;
}

/** Files below the output whose name ends so. */
export const filesOf = (output: Output, ending: string): string[] =>
  globSync(`**/*${ending}`, { cwd: output.folder })
    .filter((path) => basename(path).endsWith(ending))
    .sort();

/** Kinds of custom resources in any of the outputs, as in `Certificate.cert-manager.io`. */
export function kindsIn(outputs: readonly Output[]): Set<string> {
  const kinds = new Set<string>();
  for (const output of outputs) {
    for (const path of filesOf(output, ".yaml")) {
      for (const document of readFileSync(join(output.folder, path), "utf8").split(/^---$/m)) {
        const group = /^apiVersion: (?<group>[^\s/]+)\//m.exec(document)?.groups?.["group"];
        const kind = /^kind: (?<kind>\S+)/m.exec(document)?.groups?.["kind"];
        if (group !== undefined && kind !== undefined) kinds.add(`${kind}.${group}`);
      }
    }
  }
  return kinds;
}

/** Where a path of the repository lies in the output: the part from `k8s-manifests` on. */
export function folderOfPath(output: Output, path: string): string | undefined {
  const start = path.indexOf("k8s-manifests");
  const found = join(output.folder, path.slice(Math.max(0, start)));
  return start >= 0 && existsSync(found) ? found : undefined;
}
