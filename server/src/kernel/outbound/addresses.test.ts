import { describe, expect, test } from "vitest";
import { kindOf } from "./addresses.ts";
import { createAllowedHosts, parseAllowedHosts } from "./allowed-hosts.ts";

describe("an address is", () => {
  test.each(["8.8.8.8", "1.1.1.1", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1", "2606:4700::1"])(
    "public: %s",
    (address) => expect(kindOf(address)).toBe("public"),
  );

  test.each([
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "100.127.255.255",
    "::1",
    "fc00::1",
    "fdff:ffff::1",
  ])("private: %s", (address) => expect(kindOf(address)).toBe("private"));

  test.each([
    "0.0.0.0",
    "0.1.2.3",
    "169.254.169.254",
    "169.254.0.1",
    "168.63.129.16",
    "100.100.100.200",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::7f00:1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "2001::1",
    "2001:db8::1",
    "3fff::1",
    "64:ff9b:1::a00:1",
    "100::1",
    "",
    "localhost",
    "1.2.3",
  ])("special: %s", (address) => expect(kindOf(address)).toBe("special"));

  test.each([
    ["::ffff:127.0.0.1", "private"],
    ["::ffff:7f00:1", "private"],
    ["0:0:0:0:0:ffff:a00:1", "private"],
    ["::ffff:0:127.0.0.1", "private"],
    ["64:ff9b::127.0.0.1", "private"],
    ["64:ff9b::a9fe:a9fe", "special"],
    ["::ffff:169.254.169.254", "special"],
    ["2002:7f00:1::", "private"],
    ["2002:a9fe:a9fe::1", "special"],
    ["2002:c0a8:101:1::1", "private"],
    ["::ffff:8.8.8.8", "public"],
    ["64:ff9b::8.8.8.8", "public"],
    ["2002:808:808::1", "public"],
  ])("what it carries: %s", (address, kind) => expect(kindOf(address)).toBe(kind));
});

describe("allowed hosts", () => {
  const allowed = createAllowedHosts(
    parseAllowedHosts("Hooks.Example.org, *.inside.test,10.1.0.0/16,::1,169.254.1.1"),
  );

  test.each([
    ["hooks.example.org", "10.9.9.9", true],
    ["hooks.example.org", "::ffff:10.9.9.9", true],
    ["hooks.example.org", "127.0.0.1", true],
    ["a.inside.test", "192.168.1.1", true],
    ["inside.test", "192.168.1.1", false],
    ["evilinside.test", "192.168.1.1", false],
    ["other.test", "10.1.2.3", true],
    ["other.test", "::ffff:10.1.2.3", true],
    ["other.test", "10.2.2.3", false],
    ["other.test", "::1", true],
    ["other.test", "127.0.0.1", false],
    ["other.test", "8.8.8.8", true],
    // A name does not lead to what hands out credentials, whoever listed it.
    ["hooks.example.org", "169.254.169.254", false],
    ["hooks.example.org", "0.0.0.0", false],
    ["other.test", "169.254.1.1", true],
    ["metadata.google.internal", "8.8.8.8", false],
    ["instance-data.ec2.internal", "8.8.8.8", false],
    ["metadata", "8.8.8.8", false],
    ["metadata.example.org", "8.8.8.8", true],
  ])("%s at %s: %s", (hostname, address, permitted) => {
    expect(allowed.permits(hostname, address)).toBe(permitted);
  });

  test("are by plain http what was named, and nothing else", () => {
    expect(allowed.names("hooks.example.org", "8.8.8.8")).toBe(true);
    expect(allowed.names("other.test", "10.1.2.3")).toBe(true);
    expect(allowed.names("other.test", "8.8.8.8")).toBe(false);
  });

  test.each([
    "",
    "a,,b",
    "10.0.0.0/33",
    "10.0.0.0/",
    "::1/129",
    "1.2.3",
    "0x7f.1",
    "http://x",
    "a b",
    "x/8",
    "::ffff:10.0.0.0/8",
  ])("are not written %j", (text) => expect(() => parseAllowedHosts(text)).toThrow("must be host names"));
});
