import { expect, test } from "vitest";
import { ipv4Range, networkOf, overlap } from "./ipv4-range.ts";

test("networks are compared by their addresses", () => {
  expect(networkOf("10.1.255.3/20")).toBe("10.1.240.0/20");
  expect(networkOf("255.255.255.255/0")).toBe("0.0.0.0/0");
  expect(overlap(ipv4Range("10.0.0.0/24"), ipv4Range("10.0.1.0/24"))).toBe(false);
  expect(overlap(ipv4Range("10.0.0.0/23"), ipv4Range("10.0.1.0/24"))).toBe(true);
  expect(overlap(ipv4Range("192.168.1.1/32"), ipv4Range("0.0.0.0/0"))).toBe(true);
});
