import { lookup } from "node:dns/promises";

/** The addresses of a name. Throws when there are none. */
export type Resolve = (hostname: string) => Promise<string[]>;

const MAX_WAITING = 256;

/**
 * As the machine's own programs resolve names, its hosts file included. One look-up at a time: they run on
 * libuv's threads, of which all look-ups together may use two, and a name server that hangs must not keep the
 * database's own connections waiting.
 */
export function createSystemResolver(): Resolve {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return async (hostname) => {
    if (waiting >= MAX_WAITING) throw new Error("too many names are being looked up");
    waiting += 1;
    const found = last.then(() => lookup(hostname, { all: true }));
    last = found.catch(() => undefined);
    try {
      return (await found).map(({ address }) => address);
    } finally {
      waiting -= 1;
    }
  };
}
