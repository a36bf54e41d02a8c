import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { invalidParameter } from "../../kernel/errors.ts";
import { onDisk } from "./output-file.ts";

export const MANIFEST = "manifest.json";
export const EXPORT_KIND = "plinth-export";

/** A folder that is filled beside the one asked for, and takes its name when it is whole. */
export type ExportFolder = AsyncDisposable & {
  readonly path: string;
  /** Gives the folder its name; what is not told so goes when this is disposed. */
  publish(): Promise<void>;
};

/**
 * Nothing half is ever seen under the name of `output`: a process that is killed leaves a folder
 * `.<name>.partial-...` beside it. `overwrite` replaces an earlier export, and never anything else.
 */
export async function createExportFolder(
  output: string,
  { overwrite }: { overwrite: boolean },
): Promise<ExportFolder> {
  const target = resolve(output);
  await refuseForeign(target, overwrite);
  const temporary = (kind: string): string =>
    join(dirname(target), `.${basename(target)}.${kind}-${randomBytes(6).toString("hex")}`);
  const path = temporary("partial");
  await onDisk(path, mkdir(dirname(target), { recursive: true }));
  await onDisk(path, mkdir(path));
  let published = false;
  return {
    path,
    async publish() {
      await syncFolder(path);
      await refuseForeign(target, overwrite);
      const old = temporary("replaced");
      const moved = await move(target, old);
      try {
        await rename(path, target);
      } catch (error) {
        if (moved) await rename(old, target);
        throw error;
      }
      published = true;
      await syncFolder(dirname(target));
      if (moved) await rm(old, { recursive: true, force: true });
    },
    async [Symbol.asyncDispose]() {
      if (!published) await rm(path, { recursive: true, force: true });
    },
  };
}

/** False when there was nothing. */
async function move(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT") return false;
    if (code === "EBUSY") {
      throw invalidParameter(`${from} is a place where a disk is mounted: name a new folder below it.`);
    }
    throw error;
  }
}

async function refuseForeign(target: string, overwrite: boolean): Promise<void> {
  const found = await stat(target).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isDirectory()) throw invalidParameter(`${target} is not a folder.`);
  if ((await readdir(target)).length === 0) return;
  if (!overwrite) {
    throw invalidParameter(
      `${target} is not empty. Name another folder, or replace an earlier export with --overwrite.`,
    );
  }
  if (!(await isExport(target))) {
    throw invalidParameter(
      `${target} holds something else than an export of Plinth: --overwrite replaces nothing else.`,
    );
  }
}

async function isExport(folder: string): Promise<boolean> {
  try {
    const manifest: unknown = JSON.parse(await readFile(join(folder, MANIFEST), "utf8"));
    return (
      typeof manifest === "object" && manifest !== null && "kind" in manifest && manifest.kind === EXPORT_KIND
    );
  } catch {
    return false;
  }
}

export async function writeManifest(folder: string, manifest: unknown): Promise<void> {
  const path = join(folder, MANIFEST);
  await onDisk(path, writeFile(path, `${JSON.stringify(manifest, null, 2)}\n`, { flag: "wx", flush: true }));
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
