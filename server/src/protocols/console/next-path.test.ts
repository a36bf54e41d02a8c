import { expect, test } from "vitest";
import fc from "fast-check";
import { loginPath, readNext } from "./next-path.ts";

test.each([
  "/",
  "/plinth/account",
  "/devices/verify?device_id=1&user_code=BCDF-GHJK",
  "/#/experiments/7?searchFilter=a%20b",
  "/get-artifact?path=https://example.org/",
])("goes on to %s", (path) => expect(readNext(path)).toBe(path));

test.each([
  undefined,
  ["/a", "/b"],
  "",
  "plinth",
  "//evil.test",
  "///evil.test",
  String.raw`/\evil.test`,
  String.raw`\/evil.test`,
  String.raw`/a\evil.test`,
  "/\t/evil.test",
  "/\n/evil.test",
  "/a\r\nset-cookie: x=y",
  "/\u0000/evil.test",
  " //evil.test",
  "/ /evil.test",
  "/.//evil.test",
  "/x/..//evil.test",
  "/%2e//evil.test",
  "https://evil.test/",
  "javascript:alert(1)",
  "/plinth/login",
  "/plinth/login?next=/",
  "/plinth/logout",
  "/plinth/sso?next=/",
  "/é",
  `/${"a".repeat(3000)}`,
])("goes to the first page instead of %j", (path) => expect(readNext(path)).toBe("/"));

test("never leaves this server, and says nothing that is no header", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: "binary" }),
        fc.array(fc.constantFrom("/", "\\", ".", "..", "%2f", "\t", "evil.test", "@", ":", "?", "#", " "), {
          maxLength: 12,
        }),
      ),
      (given) => {
        const next = readNext(typeof given === "string" ? given : given.join(""));
        expect(next).toMatch(/^\/[!-~]*$/);
        expect(new URL(next, "https://here.test/plinth/login").origin).toBe("https://here.test");
        expect(new URL(loginPath(next), "https://here.test").origin).toBe("https://here.test");
      },
    ),
    { numRuns: 2000 },
  );
});
