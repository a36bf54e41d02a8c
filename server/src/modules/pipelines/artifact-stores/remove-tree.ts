import type { ArtifactStore } from "./store.ts";

/** Requests at once. */
const AT_ONCE = 8;

/** Deletes the file of this address, or all that lies below it. Throws `StoreError`; what was deleted until then is gone. */
export async function removeTree(store: ArtifactStore, uri: string): Promise<void> {
  for await (const files of store.list(uri)) {
    const left = files.values();
    const remove = async (): Promise<void> => {
      for (const file of left) await store.remove(file.uri);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, remove));
  }
}
