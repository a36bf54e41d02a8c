import { globSync } from "node:fs";
import { basename, join } from "node:path";
import type { Finding } from "./finding.ts";
import { checkProject } from "./project.ts";
import type { OutputFile } from "./synth.ts";

/** The whole output of an example, as it is compared with `golden/`. */
export type Golden = { name: string; environment: string; files: OutputFile[]; findings: Finding[] };

const root = join(import.meta.dirname, "..");

export const goldenFolder = (name: string): string => join(root, "golden", name);

/** Every environment of every example: `civo-dev`, `civo-prod`, `gcp-dev`, ... */
export async function goldens(): Promise<Golden[]> {
  const examples = globSync("examples/*.config.ts", { cwd: root }).sort();
  const all = await Promise.all(
    examples.map(async (example) => {
      const { environments } = await checkProject(join(root, example));
      const target = basename(example, ".config.ts");
      return environments.map(({ name, files, findings }) => ({
        name: `${target}-${name}`,
        environment: name,
        files,
        findings,
      }));
    }),
  );
  return all.flat();
}
