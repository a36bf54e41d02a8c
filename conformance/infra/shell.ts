// Shell in an output: scripts, what containers run, the recipes of the Makefile, the commands of the README.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ensureLinters } from "../src/environment.ts";
import type { KubernetesObject } from "./api-server.ts";

export interface Snippet {
  readonly place: string;
  readonly shell: "sh" | "bash";
  readonly text: string;
  /** Codes of ShellCheck that do not fit the kind of snippet. */
  readonly except?: readonly string[];
}

/** What ShellCheck says, a line for each remark. */
export async function remarksOn(snippets: readonly Snippet[]): Promise<string[]> {
  const program = join(await ensureLinters(), "bin", "shellcheck");
  return snippets.flatMap(({ place, shell, text, except = [] }) => {
    const args = ["--shell", shell, "--format", "gcc", "--exclude", ["SC1090", ...except].join(","), "-"];
    const done = spawnSync(program, args, { input: text, encoding: "utf8" });
    if (done.status === 0) return [];
    const lines = `${done.stdout}${done.stderr}`.trim().split("\n");
    return lines.map((line) => `${place} ${line.replace(/^-:/, "")}`);
  });
}

type Container = { name: string; command?: string[]; args?: string[] };
type PodSpec = { containers?: Container[]; initContainers?: Container[] };

/** What containers are told to run by `sh -c`, and scripts in ConfigMaps. */
export function snippetsIn(objects: readonly KubernetesObject[]): Snippet[] {
  return objects.flatMap((object) => {
    const place = `${object.kind} ${object.metadata.namespace ?? ""}/${object.metadata.name}`;
    const scripts = Object.entries((object["data"] ?? {}) as Record<string, string>)
      .filter(([, text]) => object.kind === "ConfigMap" && text.startsWith("#!"))
      .map(([name, text]) => ({
        place: `${place} ${name}`,
        shell: shellOf(text.split("\n")[0] ?? ""),
        text,
      }));
    const commands = containersOf(object).flatMap(({ name, command = [], args = [] }) => {
      const [program = "", flag = "", text = ""] = [...command, ...args];
      if (!/(^|\/)(ba)?sh$/.test(program) || !/^-\w*c$/.test(flag)) return [];
      return [{ place: `${place} ${name}`, shell: shellOf(program), text }];
    });
    return [...scripts, ...commands];
  });
}

const shellOf = (program: string): Snippet["shell"] => (program.includes("bash") ? "bash" : "sh");

/** Containers wherever an object holds a pod: workloads, and custom resources with a pod of their own. */
export function containersOf(value: unknown): Container[] {
  if (Array.isArray(value)) return value.flatMap(containersOf);
  if (typeof value !== "object" || value === null) return [];
  const { containers = [], initContainers = [] } = value as PodSpec;
  const own = [containers, initContainers].filter(Array.isArray).flat();
  return [...own, ...Object.values(value).flatMap(containersOf)];
}
