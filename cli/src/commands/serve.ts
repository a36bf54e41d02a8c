import { exitCodes, type ExitCode } from "../failure.ts";
import type { Config } from "../server-door.ts";
import { returnMemoryAtRest } from "./rest-memory.ts";

export type Addresses = Readonly<Record<string, string>>;

export type ServeHooks = {
  /** Signals are heeded from here on. */
  onStart?: () => void;
  onReady: (addresses: Addresses) => void;
};

/** Ctrl-C reaches Plinth from the terminal and once more from npm; only a later one means impatience. */
const SAME_SIGNAL_MS = 1_000;

/**
 * Runs the server in this process until SIGTERM or SIGINT, then stops it in order. A second signal
 * ends the process at once. Stopping before it is ready is no failure either.
 */
export async function serve(config: Config, hooks: ServeHooks): Promise<ExitCode> {
  const stop = new AbortController();
  let firstAt = 0;
  const onSignal = (): void => {
    if (!stop.signal.aborted) {
      firstAt = Date.now();
      stop.abort();
    } else if (Date.now() - firstAt > SAME_SIGNAL_MS) {
      process.exit(exitCodes.failed);
    }
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  hooks.onStart?.();
  try {
    const { startServer } = await import("@plinth/server");
    const server = await startServer(config, { signal: stop.signal });
    if (!stop.signal.aborted) {
      hooks.onReady(server.addresses);
      returnMemoryAtRest();
      await new Promise((stopped) => stop.signal.addEventListener("abort", stopped, { once: true }));
    }
    await server.close();
    return exitCodes.ok;
  } catch (error) {
    if (stop.signal.aborted && (error === stop.signal.reason || isAbort(error))) return exitCodes.ok;
    throw error;
  } finally {
    process.off("SIGTERM", onSignal);
    process.off("SIGINT", onSignal);
  }
}

const isAbort = (error: unknown): boolean => error instanceof Error && error.name === "AbortError";
