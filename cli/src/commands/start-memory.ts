import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Long enough that whoever waited for the server to be ready is not kept waiting by this. */
const AFTER_MS = 3_000;

/**
 * Gives back the memory that only the start needed, about 40 MiB. Left alone, V8 keeps the room for its young
 * objects as large as the start made it until something else makes it collect, in a quiet process for hours.
 */
export function returnStartMemory(): void {
  setTimeout(() => {
    setFlagsFromString("--expose-gc");
    const collect: unknown = runInNewContext("gc");
    // Only what V8 does as its last resort hands empty pages back to the system at once.
    if (typeof collect === "function") collect({ type: "major", flavor: "last-resort" });
  }, AFTER_MS).unref();
}
