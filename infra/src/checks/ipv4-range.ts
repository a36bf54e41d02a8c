/** A network as two numbers: its first and last address. */
export type Ipv4Range = { first: number; last: number; length: number };

/** `10.1.0.0/16`. Bits after the prefix do not count: see `networkOf`. */
export function ipv4Range(cidr: string): Ipv4Range {
  const [address = "", prefix = "32"] = cidr.split("/");
  const number = address.split(".").reduce((all, octet) => all * 256 + Number(octet), 0);
  const length = Number(prefix);
  const size = 2 ** (32 - length);
  const first = number - (number % size);
  return { first, last: first + size - 1, length };
}

export const overlap = (one: Ipv4Range, other: Ipv4Range): boolean =>
  one.first <= other.last && other.first <= one.last;

/** The network that the address is in: `10.1.0.0/16` of `10.1.2.3/16`. */
export function networkOf(cidr: string): string {
  const { first, length } = ipv4Range(cidr);
  const octets = [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256);
  return `${octets.join(".")}/${length}`;
}
