import { lstatSync } from "node:fs";
import {
  filesBelow,
  foldersIn,
  META,
  MODELS,
  runFolders,
  TRASH,
  type StoreContext,
} from "./file-store-layout.ts";
import type { SourceProblem } from "./problem.ts";

/** Folders of a run, model or version that hold what is imported; artifacts are looked at when they are copied. */
const PARTS = ["metrics", "params", "tags", "inputs", "outputs", "aliases"];

/**
 * What was written in the store since `since`, one problem for each experiment, run, model and version. A store
 * is no snapshot: what came between two looks at it would otherwise be half of the one and half of the other.
 */
export function* changesSince(given: StoreContext, since: number): Generator<SourceProblem> {
  // What cannot be read was told when it was read.
  const context: StoreContext = { ...given, onProblem: () => undefined };
  for (const parent of ["", TRASH]) {
    for (const name of foldersIn(context, parent)) {
      if (parent === "" && (name === TRASH || name === MODELS)) continue;
      const path = parent === "" ? name : `${parent}/${name}`;
      if (!/^\d+$/.test(name)) continue;
      yield* problemOf(context, path, since);
      for (const run of runFolders(context, { path })) yield* problemOf(context, `${path}/${run}`, since);
      for (const model of foldersIn(context, `${path}/${MODELS}`)) {
        yield* problemOf(context, `${path}/${MODELS}/${model}`, since);
      }
    }
  }
  for (const name of foldersIn(context, MODELS)) {
    const path = `${MODELS}/${name}`;
    yield* problemOf(context, path, since);
    for (const version of foldersIn(context, path)) {
      if (version.startsWith("version-")) yield* problemOf(context, `${path}/${version}`, since);
    }
  }
}

function* problemOf(context: StoreContext, path: string, since: number): Generator<SourceProblem> {
  const newest = newestIn(context, path);
  if (newest <= since) return;
  yield {
    where: context.folder.pathOf(path),
    what: `was written to at ${new Date(newest).toISOString()}, after the import began`,
    effect: "what is imported of it may be the old, or half of the new",
  };
}

function newestIn(context: StoreContext, path: string): number {
  let newest = timeOf(context, `${path}/${META}`);
  for (const part of PARTS) {
    // A folder's own time tells of files that came or went.
    newest = Math.max(newest, timeOf(context, `${path}/${part}`));
    for (const file of filesBelow(context, `${path}/${part}`))
      newest = Math.max(newest, timeOf(context, file.path));
  }
  return newest;
}

const timeOf = ({ folder }: StoreContext, path: string): number =>
  lstatSync(folder.pathOf(path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
