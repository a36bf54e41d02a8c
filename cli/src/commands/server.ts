import cluster, { type Worker } from "node:cluster";
import { setTimeout as sleep } from "node:timers/promises";
import { CommandFailure, exitCodes, type ExitCode } from "../failure.ts";
import type { Output } from "../output.ts";
import type { Call } from "../program.ts";
import { readConfig, type Config } from "../server-door.ts";
import { serve, type Addresses } from "./serve.ts";
import { announce } from "./up.ts";

/** Runs for production on an existing PostgreSQL, with as many processes as asked for behind one port. */
export async function server({ flags, output }: Call): Promise<ExitCode> {
  const { config } = readConfig(flags, process.env);
  if (config.databaseUrl === undefined) {
    throw new CommandFailure(
      "`plinth server` needs --database-url postgres://user:password@host/database (or PLINTH_DATABASE_URL). " +
        "`plinth up` brings its own database.",
      exitCodes.wrongCall,
    );
  }
  if (cluster.isWorker) {
    return serve(config, { onReady: (addresses) => process.send?.({ addresses } satisfies ReadyMessage) });
  }
  if (config.workers === 1) return serve(config, { onReady: (addresses) => announce(output, addresses, 1) });
  return new WorkerGroup(config, output).run();
}

type ReadyMessage = { addresses: Addresses };

/** A worker that ends sooner than this after its start is started again only after a pause. */
const SHORT_LIFE_MS = 10_000;

/** Keeps the workers running; ends when it is told to stop, or when the first start fails. */
class WorkerGroup {
  readonly #config: Config;
  readonly #output: Output;
  readonly #stop = new AbortController();
  readonly #ready = new Set<number>();
  #announced = false;
  #failure: CommandFailure | undefined;

  constructor(config: Config, output: Output) {
    this.#config = config;
    this.#output = output;
  }

  async run(): Promise<ExitCode> {
    const stop = (): void => this.#stopAll();
    process.on("SIGTERM", stop);
    process.on("SIGINT", stop);
    // The first goes alone: it migrates, and when it cannot start nor can the others.
    const first = await this.#keepOne();
    const others = Array.from({ length: this.#config.workers - 1 }, () => this.#keepOne());
    const kept = await Promise.all([first, ...(await Promise.all(others))].map((one) => one.ended));
    process.off("SIGTERM", stop);
    process.off("SIGINT", stop);
    if (this.#failure !== undefined) throw this.#failure;
    return kept.every((code) => code === exitCodes.ok) ? exitCodes.ok : exitCodes.failed;
  }

  #stopAll(): void {
    this.#stop.abort();
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill("SIGTERM");
  }

  /** Resolves when the worker is ready or has given up; `ended` when it will not be started again. */
  async #keepOne(): Promise<{ ended: Promise<ExitCode> }> {
    if (this.#stop.signal.aborted) return { ended: Promise.resolve(exitCodes.ok) };
    const { promise: up, resolve: isUp } = Promise.withResolvers<void>();
    const ended = this.#keep(isUp).finally(isUp);
    await up;
    return { ended };
  }

  async #keep(isUp: () => void): Promise<ExitCode> {
    for (;;) {
      const startedAt = Date.now();
      const worker = cluster.fork();
      worker.once("message", (message: ReadyMessage) => {
        this.#ready.add(worker.id);
        isUp();
        this.#announceWhenComplete(message.addresses);
      });
      const code = await this.#end(worker);
      const wasReady = this.#ready.delete(worker.id);
      if (this.#stop.signal.aborted) return code === 0 ? exitCodes.ok : exitCodes.failed;
      if (!wasReady && !this.#announced) {
        this.#failure ??= new CommandFailure("A server process could not start; its message is above.");
        this.#stopAll();
        return exitCodes.failed;
      }
      this.#output.progress(`plinth: a server process ended (${code ?? "killed"}); starting another.`);
      if (Date.now() - startedAt < SHORT_LIFE_MS) {
        await sleep(1_000, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      }
      if (this.#stop.signal.aborted) return exitCodes.ok;
    }
  }

  #end(worker: Worker): Promise<number | null> {
    // One that is told to stop before it listens for that ends by the signal itself: in order all the same.
    return new Promise((done) => {
      worker.once("exit", (code: number | null, signal: string | null) =>
        done(signal === "SIGTERM" && this.#stop.signal.aborted ? exitCodes.ok : code),
      );
    });
  }

  #announceWhenComplete(addresses: Addresses): void {
    if (this.#announced || this.#ready.size < this.#config.workers) return;
    this.#announced = true;
    announce(this.#output, addresses, this.#config.workers);
  }
}
