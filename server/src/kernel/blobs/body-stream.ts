import { Readable, type Writable } from "node:stream";

/**
 * A response body made of chunks whose memory is used again: each chunk is asked for only after the
 * one before it has left for the kernel. A plain `Readable` cannot promise that, since nobody
 * tells it when its reader is done with a chunk; so this one writes to its destination itself.
 */
export class BodyStream extends Readable {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #first: IteratorResult<Uint8Array, unknown> | undefined;

  private constructor(chunks: AsyncIterator<Uint8Array>, first: IteratorResult<Uint8Array, unknown>) {
    super({ read: () => undefined });
    this.#chunks = chunks;
    this.#first = first;
  }

  /** Resolves when the first chunk is there, so that errors still have a status to be told with. */
  static async open(source: AsyncIterable<Uint8Array>): Promise<BodyStream> {
    const chunks = source[Symbol.asyncIterator]();
    return new BodyStream(chunks, await chunks.next());
  }

  override pipe<T extends NodeJS.WritableStream>(destination: T): T {
    this.#send(destination as unknown as Writable).catch((error: unknown) => {
      this.destroy(error instanceof Error ? error : new Error(String(error)));
    });
    return destination;
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    void this.#close().finally(() => callback(error));
  }

  /** Closes what the chunks are read from, also when the client left in the middle. */
  async #close(): Promise<void> {
    try {
      await this.#chunks.return?.();
    } catch {
      // Whoever waited for the bytes has been told, or is gone.
    }
  }

  async #send(destination: Writable): Promise<void> {
    let next = this.#first ?? (await this.#chunks.next());
    this.#first = undefined;
    while (next.done !== true && !this.destroyed) {
      await written(destination, next.value);
      next = await this.#chunks.next();
    }
    if (this.destroyed) return;
    destination.end();
    this.push(null);
    this.resume();
  }
}

function written(destination: Writable, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    destination.write(chunk, (error) => (error === null || error === undefined ? resolve() : reject(error)));
  });
}
