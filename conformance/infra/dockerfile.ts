// Reads the Dockerfile and .dockerignore as far as the image suite must know them to start the same without Docker.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface Instruction {
  readonly name: string;
  readonly flags: readonly string[];
  readonly rest: string;
}

/** Instructions by stage: a stage begins with its FROM, what stands before the first is the stage at 0. */
export function readStages(file: string): readonly (readonly Instruction[])[] {
  const lines = readFileSync(file, "utf8").split("\n");
  const joined = lines
    .filter((line) => !/^\s*#/.test(line))
    .join("\n")
    .replaceAll(/\\\n/g, " ");
  const stages: Instruction[][] = [[]];
  for (const line of joined.split("\n")) {
    const found = /^\s*(?<name>[A-Z]+)\s+(?<flags>(?:--\S+\s+)*)(?<rest>.*?)\s*$/.exec(line)?.groups;
    if (found === undefined) {
      if (line.trim() !== "") throw new Error(`${file}: no instruction: ${line}`);
      continue;
    }
    const flags = (found["flags"] ?? "").split(/\s+/).filter(Boolean);
    if (found["name"] === "FROM") stages.push([]);
    stages.at(-1)?.push({ name: found["name"] ?? "", flags, rest: found["rest"] ?? "" });
  }
  return stages;
}

/** The last instruction of this name, which is the one in force. */
export function instruction(stage: readonly Instruction[], name: string): string {
  const found = stage.findLast((one) => one.name === name);
  if (found === undefined) throw new Error(`the stage has no ${name}`);
  return found.rest;
}

/** Every `KEY=value` of ENV, LABEL or ARG in the stage. */
export function pairs(stage: readonly Instruction[], name: string): Readonly<Record<string, string>> {
  const texts = stage.filter((one) => one.name === name).map((one) => one.rest);
  const found = texts.flatMap((text) => [...text.matchAll(/([\w.]+)=(?:"([^"]*)"|(\S+))/g)]);
  return Object.fromEntries(found.map(([, key, quoted, bare]) => [key ?? "", quoted ?? bare ?? ""]));
}

/** The files that .dockerignore sends to the builder. The last pattern that names a file or a folder above it decides. */
export function contextFiles(root: string): string[] {
  const patterns = readFileSync(join(root, ".dockerignore"), "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .map((line) => ({
      isSent: line.startsWith("!"),
      pattern: patternOf(line.replace(/^!/, "").replace(/\/$/, "")),
    }));
  const isSent = (path: string): boolean => {
    const parts = path.split("/");
    const above = parts.map((_, index) => parts.slice(0, index + 1).join("/"));
    return patterns.findLast(({ pattern }) => above.some((one) => pattern.test(one)))?.isSent ?? true;
  };
  const files = globSync("**/*", {
    cwd: root,
    withFileTypes: true,
    exclude: (entry) => [".git", ".venv", "node_modules", "test-output"].includes(entry.name),
  });
  const dotFiles = globSync(".*", { cwd: root, withFileTypes: true });
  return [...files, ...dotFiles]
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter(isSent)
    .sort();
}

/** Of Docker's wildcards those in use: `*` for anything but a slash, also where a name begins with a dot, and `**` for any folders. */
function patternOf(glob: string): RegExp {
  const parts = glob.split(/(\*\*\/|\*)/).map((part) => {
    if (part === "**/") return "(?:.*/)?";
    return part === "*" ? "[^/]*" : part.replaceAll(/[.+?^$(){}|[\]\\]/g, "\\$&");
  });
  return new RegExp(`^${parts.join("")}$`);
}
