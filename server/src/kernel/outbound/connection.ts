import { connect as open, isIPv6, type Socket } from "node:net";
import { lookupOf, reasonOf } from "./exchange.ts";
import { OutboundError, refused } from "./outbound-error.ts";

/** A host as people write it, without a port: odd spellings of addresses are plain from here on. Throws `refused`. */
export function readHost(text: string): string {
  if (isIPv6(text)) return text;
  const url = /[\p{Cc}\s/\\?#@:]/u.test(text) ? null : URL.parse(`https://${text}`);
  const hostname = url?.hostname.replace(/\.$/, "") ?? "";
  if (hostname === "" || hostname.endsWith(".")) throw refused("this is no host name or address");
  return hostname;
}

type Connect = { addresses: readonly string[]; port: number; signal: AbortSignal; connectMs: number };

/** To the first of these addresses that answers. Throws an `OutboundError`. */
export function connect({ addresses, port, signal, connectMs }: Connect): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = open({ host: "checked.invalid", port, lookup: lookupOf(addresses), signal });
    const timer = setTimeout(() => {
      socket.destroy(new OutboundError("timeout", `no connection within ${connectMs} ms`));
    }, connectMs);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(
        error instanceof OutboundError ? error : new OutboundError("connection", reasonOf(error), error),
      );
    };
    socket.once("error", fail);
    socket.once("connect", () => {
      clearTimeout(timer);
      // What breaks later is told by the connection being closed.
      socket.off("error", fail).on("error", () => undefined);
      resolve(socket);
    });
  });
}
