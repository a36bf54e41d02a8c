import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { OutputFile } from "./synth.ts";

/** Keeps what was written, so that what a person changed since is not overwritten silently. */
const RECORD = ".plinth-synth.json";

type FolderRecord = { version: 1; environment: string; files: Record<string, string> };

/** A file that cannot be written or removed, and why. */
export type Conflict = { path: string; reason: string };

export type Change = { path: string; kind: "added" | "changed" | "removed"; before: string; after: string };

/** What writing `files` into `folder` would do. Nothing is touched. */
export type FolderPlan = { changes: Change[]; conflicts: Conflict[]; unchanged: number };

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

/** @throws when the record is there and cannot be read: then nobody knows what was edited by hand. */
export function planFolder(folder: string, files: readonly OutputFile[], environment: string): FolderPlan {
  const record = readRecord(folder);
  const conflicts: Conflict[] = [];
  if (record !== undefined && record.environment !== environment) {
    conflicts.push({
      path: RECORD,
      reason: `this folder holds the environment "${record.environment}": give "${environment}" one of its own`,
    });
  }
  const changes: Change[] = [];
  let unchanged = 0;
  for (const { path, text } of files) {
    const blocked = blockOf(folder, path);
    if (blocked !== undefined) {
      conflicts.push({ path, reason: blocked });
      continue;
    }
    const before = readText(join(folder, path));
    if (before === text) {
      unchanged += 1;
    } else if (before === undefined) {
      changes.push({ path, kind: "added", before: "", after: text });
    } else {
      if (digest(before) !== record?.files[path]) conflicts.push({ path, reason: handMade(record, path) });
      changes.push({ path, kind: "changed", before, after: text });
    }
  }
  const kept = new Set(files.map(({ path }) => path));
  for (const [path, written] of Object.entries(record?.files ?? {})) {
    if (kept.has(path) || blockOf(folder, path) !== undefined) continue;
    const before = readText(join(folder, path));
    if (before === undefined) continue;
    if (digest(before) !== written) conflicts.push({ path, reason: "no longer needed, but edited by hand" });
    changes.push({ path, kind: "removed", before, after: "" });
  }
  return { changes, conflicts, unchanged };
}

const handMade = (record: FolderRecord | undefined, path: string): string =>
  record?.files[path] === undefined
    ? "there already, and not written by Plinth"
    : "edited by hand since it was written";

/** Does what `planFolder` said. Each file is replaced in one step: a reader never sees half of one. */
export function writeFolder(
  folder: string,
  files: readonly OutputFile[],
  { environment, changes }: { environment: string; changes: readonly Change[] },
): void {
  const executable = new Set(files.filter((file) => file.executable).map(({ path }) => path));
  for (const { path, kind, after } of changes) {
    const place = join(folder, path);
    if (kind === "removed") {
      rmSync(place);
      removeEmptyFolders(folder, dirname(path));
      continue;
    }
    replaceFile(place, after);
    chmodSync(place, executable.has(path) ? 0o755 : 0o644);
  }
  const hashes = files
    .map(({ path, text }) => [path, digest(text)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const record: FolderRecord = { version: 1, environment, files: Object.fromEntries(hashes) };
  const text = `${JSON.stringify(record, null, 2)}\n`;
  if (readText(join(folder, RECORD)) !== text) replaceFile(join(folder, RECORD), text);
}

function replaceFile(place: string, text: string): void {
  mkdirSync(dirname(place), { recursive: true });
  const half = `${place}.plinth-${process.pid}`;
  writeFileSync(half, text);
  renameSync(half, place);
}

function removeEmptyFolders(folder: string, path: string): void {
  for (let at = path; at !== "." && at !== ""; at = dirname(at)) {
    if (readdirSync(join(folder, at)).length > 0) return;
    rmdirSync(join(folder, at));
  }
}

/** Why `path` cannot be written: a link or a file where a folder should be leads out of the output folder. */
function blockOf(folder: string, path: string): string | undefined {
  const steps = path.split("/");
  if (path.startsWith("/") || steps.some((step) => step === "" || step === "." || step === "..")) {
    return "not a path within the output folder";
  }
  let at = folder;
  for (const [index, step] of steps.entries()) {
    at = join(at, step);
    const found = lstatSync(at, { throwIfNoEntry: false });
    if (found === undefined) return undefined;
    if (found.isSymbolicLink())
      return `${steps.slice(0, index + 1).join("/")} is a link: nothing is written through it`;
    const last = index === steps.length - 1;
    if (!last && !found.isDirectory())
      return `${steps.slice(0, index + 1).join("/")} is a file, and should be a folder`;
    if (last && !found.isFile()) return "there is something else than a file";
  }
  return undefined;
}

const readText = (place: string): string | undefined =>
  existsSync(place) ? readFileSync(place, "utf8") : undefined;

function readRecord(folder: string): FolderRecord | undefined {
  const text = readText(join(folder, RECORD));
  if (text === undefined) return undefined;
  try {
    const record = JSON.parse(text) as Partial<FolderRecord>;
    if (record.version === 1 && typeof record.environment === "string" && typeof record.files === "object") {
      return record as FolderRecord;
    }
  } catch {
    // Said below.
  }
  throw new Error(
    `${join(folder, RECORD)} is damaged, so that nobody can tell which files were edited by hand. ` +
      "Restore it from version control, or remove it and call again with --overwrite.",
  );
}
