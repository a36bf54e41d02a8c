import { isIP, isIPv4 } from "node:net";
import { blockList, contains, kindOf, unwrapped } from "./addresses.ts";

/** What the operator allows besides the public Internet, and by plain http. */
export type AllowedHosts = {
  /** Whether requests to this name (or address, as a URL has it) may go to this address. */
  permits(hostname: string, address: string): boolean;
  /** Whether the operator named this host or this address, so that it may also be asked by plain http. */
  names(hostname: string, address: string): boolean;
};

const NAME = /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?$/;

/** Entries as they are written in the configuration. Throws an Error that says what a good one looks like. */
export function parseAllowedHosts(text: string): string[] {
  const entries = text.split(",").map((entry) => entry.trim().toLowerCase());
  if (entries.every((entry) => blockOf(entry) !== undefined || isName(entry))) return entries;
  throw new Error(
    "must be host names (hooks.example.org, *.example.org), addresses (10.1.2.3) or networks (10.0.0.0/8), " +
      "separated by commas",
  );
}

// What ends in a number is meant as an address, and was none.
const isName = (entry: string): boolean => NAME.test(entry) && !/(?:^|\.)(?:\d+|0x[0-9a-f]*)$/.test(entry);

export function createAllowedHosts(entries: readonly string[]): AllowedHosts {
  const blocks = blockList(entries.map(blockOf).filter((block) => block !== undefined));
  const hosts = entries.filter((entry) => blockOf(entry) === undefined);
  const isListedName = (hostname: string): boolean =>
    hosts.some((host) => (host.startsWith("*.") ? hostname.endsWith(host.slice(1)) : hostname === host));
  const isListedAddress = (address: string): boolean => {
    const plain = unwrapped(address);
    return plain !== undefined && contains(blocks, plain);
  };
  return {
    permits(hostname, address) {
      if (isListedAddress(address)) return true;
      const kind = kindOf(address);
      if (isMetadataName(hostname) && !isListedName(hostname)) return false;
      // A name that leads to a metadata address is a name that somebody else set: only the address itself allows it.
      return kind === "public" || (kind === "private" && isListedName(hostname));
    },
    names: (hostname, address) => isListedName(hostname) || isListedAddress(address),
  };
}

/** Names by which clouds reach the service that hands out a machine's credentials. */
const METADATA_NAME =
  /^(?:metadata|instance-data|metadata\.goog|(?:.+\.)?(?:metadata|instance-data)\..*(?:internal|tencentyun\.com))$/;

const isMetadataName = (hostname: string): boolean => METADATA_NAME.test(hostname);

function blockOf(entry: string): [string, number] | undefined {
  const [written = "", length, ...more] = entry.split("/");
  const address = unwrapped(written.replace(/^\[(.*)\]$/, "$1"));
  if (address === undefined || more.length > 0) return undefined;
  const bits = isIPv4(address) ? 32 : 128;
  if (length === undefined) return [address, bits];
  const wrapped = isIP(written) === 6 && bits === 32;
  if (wrapped || !/^\d{1,3}$/.test(length) || Number(length) > bits) return undefined;
  return [address, Number(length)];
}
