import { BlockList, isIP, isIPv4 } from "node:net";

/**
 * Which addresses a request made on somebody's behalf may go to: those of the public Internet. Sources: the
 * special-purpose registries of IANA (RFC 6890) and the addresses at which clouds answer their own machines.
 */
const privateBlocks = blockList([
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  // Carrier-grade NAT.
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["::1", 128],
  // Unique local addresses.
  ["fc00::", 7],
]);

const specialBlocks = blockList([
  ["0.0.0.0", 8],
  ["169.254.0.0", 16],
  // IETF protocol assignments; among them a metadata address of Oracle's cloud.
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
  // The host agent of Azure, a public address that only its own machines reach.
  ["168.63.129.16", 32],
  // Teredo and other IETF assignments.
  ["2001::", 23],
  ["2001:db8::", 32],
  ["3fff::", 20],
]);

/** Addresses at which clouds answer within what is otherwise a private network. */
const metadataBlocks = blockList([
  ["100.100.100.200", 32],
  ["fd00:ec2::254", 128],
  ["fd20:ce::254", 128],
]);

const globalIpv6 = blockList([["2000::", 3]]);

export type AddressKind =
  | "public"
  /** Of this machine or of a network behind it. */
  | "private"
  /** Link-local, metadata, multicast, unspecified, reserved: nothing that a name should lead to. */
  | "special";

export function kindOf(address: string): AddressKind {
  const plain = unwrapped(address);
  if (plain === undefined || contains(metadataBlocks, plain) || contains(specialBlocks, plain))
    return "special";
  if (contains(privateBlocks, plain)) return "private";
  return isIPv4(plain) || contains(globalIpv6, plain) ? "public" : "special";
}

/**
 * An IPv4 address in the place of the IPv6 address that carries it (mapped, NAT64 or 6to4), so that no disguise
 * makes it another; other addresses as they are. Undefined for what is no address.
 */
export function unwrapped(address: string): string | undefined {
  const kind = isIP(address);
  if (kind === 0 || address.includes("%")) return undefined;
  if (kind === 4) return address;
  const groups = groupsOf(address);
  const [first = 0, second = 0, third = 0] = groups;
  const leads = (...start: number[]): boolean => start.every((group, index) => groups[index] === group);
  // ::ffff:a.b.c.d, ::ffff:0:a.b.c.d (translated) and 64:ff9b::a.b.c.d
  if (leads(0, 0, 0, 0, 0, 0xff_ff) || leads(0, 0, 0, 0, 0xff_ff, 0) || leads(0x64, 0xff_9b, 0, 0, 0, 0)) {
    return ipv4(groups[6] ?? 0, groups[7] ?? 0);
  }
  return first === 0x20_02 ? ipv4(second, third) : address;
}

const ipv4 = (high: number, low: number): string => [high >> 8, high & 255, low >> 8, low & 255].join(".");

/** The eight groups of a valid IPv6 address. */
function groupsOf(address: string): number[] {
  const hexadecimal = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, ...parts: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [head = "", tail] = hexadecimal.split("::");
  const numbers = (text: string): number[] =>
    text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
  const before = numbers(head);
  const after = numbers(tail ?? "");
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
}

type Block = readonly [address: string, prefix: number];

export function blockList(blocks: readonly Block[]): BlockList {
  const list = new BlockList();
  for (const [address, prefix] of blocks) list.addSubnet(address, prefix, isIPv4(address) ? "ipv4" : "ipv6");
  return list;
}

/** Of an address that is already unwrapped. */
export const contains = (list: BlockList, address: string): boolean =>
  list.check(address, isIPv4(address) ? "ipv4" : "ipv6");
