import { PlinthError } from "../../kernel/errors.ts";
import type { ObjectInfo, Storage } from "../../modules/storage/index.ts";
import { ArtifactsMissing } from "./artifacts-local.ts";
import { Unreadable } from "./local-folder.ts";
import type { OnProblem } from "./problem.ts";
import type { ArtifactFile, SourceArtifacts } from "./source.ts";

/** The artifacts of one run, logged model or version. */
export type ArtifactItem = {
  /** The location that the source has for them. */
  from: string;
  /** Where they go: a key prefix of Plinth's artifacts, without slashes at its ends, such as `0/<run>/artifacts`. */
  to: string;
  /** What they belong to, for people: `run 0d4c…`. */
  owner: string;
};

/** Where MLflow's clients find artifacts, and under which names: the protocol's matter. */
export type ArtifactPlace = {
  storage: Storage;
  bucket: string;
  /** The path under which a client's upload of a file of this path would be kept; undefined when none can name it. */
  storedPath(path: string): string | undefined;
};

export type ArtifactDeps = ArtifactPlace & {
  artifacts: SourceArtifacts;
  onProblem: OnProblem;
};

/** Counted from the start of this copying. */
export type ArtifactProgress = {
  /** All items before this index are done: where to go on after a kill. */
  items: number;
  files: number;
  bytes: number;
};

export type ArtifactReport = ArtifactProgress & {
  /** Files that an earlier process had copied. */
  present: number;
  /** Items whose folder is not there, the first few by name. */
  missing: { count: number; owners: string[] };
};

const ITEMS_AT_ONCE = 8;
const FILES_AT_ONCE = 8;
const NAMED = 20;
const ATTEMPTS = 3;

/**
 * Copies the files of all items into Plinth's storage: bytes stream through the blob store, eight files at a
 * time. What is there already with the same size, and no older than the source's file, stays. A
 * file that cannot be read is a problem of the source; that of the own storage ends the copying.
 */
export async function copyArtifacts(
  deps: ArtifactDeps,
  items: AsyncIterable<ArtifactItem> | Iterable<ArtifactItem>,
  onProgress: (progress: ArtifactProgress) => void = () => undefined,
): Promise<ArtifactReport> {
  const report: ArtifactReport = {
    items: 0,
    files: 0,
    bytes: 0,
    present: 0,
    missing: { count: 0, owners: [] },
  };
  const slots = createSlots(FILES_AT_ONCE);
  const inWork: Promise<void>[] = [];
  const oldestDone = async (): Promise<void> => {
    await inWork.shift();
    report.items += 1;
    onProgress(report);
  };
  try {
    for await (const item of items) {
      const work = copyItem(deps, item, { report, slots });
      // It is awaited in its turn; until then it must not count as unhandled.
      work.catch(() => undefined);
      inWork.push(work);
      if (inWork.length === ITEMS_AT_ONCE) await oldestDone();
    }
    while (inWork.length > 0) await oldestDone();
  } finally {
    slots.close();
    await Promise.allSettled(inWork);
  }
  return report;
}

type Context = { report: ArtifactReport; slots: Slots };

async function copyItem(deps: ArtifactDeps, item: ArtifactItem, context: Context): Promise<void> {
  const { storage, artifacts } = deps;
  const prefix = `${item.to}/`;
  const { entries } = await storage.listDirectory({ bucket: deps.bucket, prefix, limit: 1 });
  const isFresh = entries.length === 0;
  const inWork = new Set<Promise<void>>();
  const renamed: { file: ArtifactFile; key: string }[] = [];
  let failure: { error: unknown } | undefined;
  try {
    for await (const file of artifacts.list(item.from, undefined)) {
      const path = deps.storedPath(file.path);
      if (path === undefined) {
        report(deps, item, file.path, "no MLflow client could ask for a file of this name");
        continue;
      }
      const key = prefix + path;
      if (path !== file.path) renamed.push({ file, key });
      else {
        const release = await context.slots.take();
        const work: Promise<void> = copyFile(deps, item, { file, key, isFresh, ...context })
          .catch((error: unknown) => {
            failure ??= { error };
          })
          .finally(() => {
            release();
            inWork.delete(work);
          });
        inWork.add(work);
      }
      if (failure !== undefined) break;
    }
  } catch (error) {
    if (error instanceof ArtifactsMissing) noteMissing(context.report, item);
    else if (error instanceof Unreadable) report(deps, item, "", error.reason);
    else failure ??= { error };
  }
  await Promise.all(inWork);
  // After the others: `a%20b` is `a b` for every client, and the file that has this name goes first.
  for (const { file, key } of renamed) {
    if (failure !== undefined) break;
    await copyFile(deps, item, { file, key, isFresh: false, isRenamed: true, ...context });
  }
  if (failure !== undefined) throw failure.error;
}

type FileCopy = Context & { file: ArtifactFile; key: string; isFresh: boolean; isRenamed?: boolean };

async function copyFile(deps: ArtifactDeps, item: ArtifactItem, copy: FileCopy): Promise<void> {
  const { file, key } = copy;
  const present = copy.isFresh ? undefined : await headOrNothing(deps, key);
  if (present !== undefined && isSame(present, file)) {
    copy.report.present += 1;
    return;
  }
  if (present !== undefined && copy.isRenamed === true) {
    report(deps, item, file.path, `for MLflow's clients it has the same name as another file, '${key}'`);
    return;
  }
  for (let attempt = 1; ; attempt += 1) {
    const fault = await putFile(deps, item, copy);
    if (fault === undefined) return;
    // A connection that was lost, and not the file's own fault.
    if (!(fault instanceof Unreadable) && attempt < ATTEMPTS) continue;
    if (!(fault instanceof Unreadable)) throw fault;
    report(deps, item, file.path, fault.reason);
    return;
  }
}

/** Puts the file; answers with what went wrong on the side that is read. */
async function putFile(deps: ArtifactDeps, item: ArtifactItem, copy: FileCopy): Promise<unknown> {
  const { file, key } = copy;
  let fault: { error: unknown } | undefined;
  let bytes = 0;
  const source = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of await deps.artifacts.open(item.from, file.path)) {
        bytes += chunk.byteLength;
        yield chunk;
      }
    } catch (error) {
      fault = { error };
      throw error;
    }
  };
  try {
    await deps.storage.putObject({
      bucket: deps.bucket,
      key,
      hash: "sha256",
      source: source(),
      expectedSize: file.size,
    });
    copy.report.files += 1;
    copy.report.bytes += bytes;
    return undefined;
  } catch (error) {
    if (fault !== undefined) return fault.error;
    const refused = error instanceof PlinthError && ["invalid_parameter", "bad_request"].includes(error.code);
    if (refused) return new Unreadable(item.from, error.message);
    throw error;
  }
}

async function headOrNothing(
  { storage, bucket }: ArtifactDeps,
  key: string,
): Promise<ObjectInfo | undefined> {
  try {
    return await storage.headObject({ bucket, key });
  } catch (error) {
    if (error instanceof PlinthError && ["not_found", "invalid_parameter"].includes(error.code))
      return undefined;
    throw error;
  }
}

/** Reading all bytes again to compare them would take as long as copying them. */
function isSame(present: ObjectInfo, file: ArtifactFile): boolean {
  if (present.size !== file.size) return false;
  return file.modifiedAt === undefined || file.modifiedAt <= present.last_modified.getTime();
}

function noteMissing({ missing }: ArtifactReport, { owner }: ArtifactItem): void {
  missing.count += 1;
  if (missing.owners.length < NAMED) missing.owners.push(owner);
}

function report(deps: ArtifactDeps, item: ArtifactItem, ...[path, what]: [path: string, what: string]): void {
  const where = path === "" ? item.from : `${item.from}/${path}`;
  const effect =
    path === "" ? `files of ${item.owner} are not copied` : `the file of ${item.owner} is not copied`;
  deps.onProblem({ where, what, effect });
}

type Slots = { take(): Promise<() => void>; close(): void };

function createSlots(count: number): Slots {
  let free = count;
  let closed = false;
  const waiting: ((error?: Error) => void)[] = [];
  const release = (): void => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  return {
    async take() {
      if (closed) throw new Error("The copying has ended.");
      if (free > 0) free -= 1;
      else {
        await new Promise<void>((resolve, reject) => {
          waiting.push((error) => (error === undefined ? resolve() : reject(error)));
        });
      }
      return release;
    },
    close() {
      closed = true;
      for (const stop of waiting.splice(0)) stop(new Error("The copying has ended."));
    },
  };
}
