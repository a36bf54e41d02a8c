import { expect, test } from "vitest";
import { assertGoodPassword, createPasswords, isPossiblePassword } from "./passwords.ts";

const cheap = { N: 2 ** 4, r: 8, p: 1 };
const passwords = createPasswords(cheap);

test("a password matches its hash, which says how it was made, and no other", async () => {
  const hash = await passwords.hash("correct horse battery");
  expect(hash).toMatch(/^scrypt\$16\$8\$1\$[\w-]{22}\$[\w-]{43}$/);
  expect(hash).not.toBe(await passwords.hash("correct horse battery"));
  expect(await passwords.check("correct horse battery", hash)).toStrictEqual({
    matches: true,
    outdated: false,
  });
  expect((await passwords.check("correct horse batterx", hash)).matches).toBe(false);
  expect((await passwords.check("correct horse battery", undefined)).matches).toBe(false);
});

test("a hash of another cost still matches, and is to be made anew", async () => {
  const hash = await createPasswords({ N: 2 ** 5, r: 4, p: 2 }).hash("correct horse battery");
  expect(await passwords.check("correct horse battery", hash)).toStrictEqual({
    matches: true,
    outdated: true,
  });
});

test("the same characters are the same password, however they are composed", async () => {
  const hash = await passwords.hash("caf\u00e9 caf\u00e9 caf\u00e9");
  expect((await passwords.check("cafe\u0301 cafe\u0301 cafe\u0301", hash)).matches).toBe(true);
  // Compatible characters are others.
  const digits = await passwords.hash("password \u2460\u2461\u2462");
  expect((await passwords.check("password 123", digits)).matches).toBe(false);
});

test("some wait for their turn, more are refused", async () => {
  const checks = Array.from({ length: 150 }, () =>
    passwords.check("some password", undefined).catch((error: unknown) => error),
  );
  const answers = await Promise.all(checks);
  expect(answers.filter((answer) => answer instanceof Error)).toHaveLength(48);
  expect(answers.at(-1)).toMatchObject({ code: "too_many_requests", retryAfterSeconds: 5 });
  // And the line is open again.
  expect(await passwords.check("some password", undefined)).toMatchObject({ matches: false });
});

test("who is known is not kept waiting by those who are not", async () => {
  const done: string[] = [];
  const others = Array.from({ length: 110 }, () =>
    passwords.check("some password", undefined).then(
      () => done.push("other"),
      () => undefined,
    ),
  );
  const known = passwords.check("some password", undefined, { isKnown: true }).then(() => done.push("known"));
  await Promise.all([...others, known]);
  expect(done.indexOf("known")).toBeLessThan(5);
  expect(done).toHaveLength(103);
});

test("whoever is refused at its turn leaves the place to the next", async () => {
  const refuse = (): Promise<void> => Promise.reject(new Error("refused"));
  const refused = Array.from({ length: 10 }, () =>
    passwords.check("some password", undefined, { begin: refuse }),
  );
  expect((await Promise.allSettled(refused)).every(({ status }) => status === "rejected")).toBe(true);
  expect(await passwords.check("some password", undefined)).toMatchObject({ matches: false });
});

test("weak passwords are refused, and never named", () => {
  const refusal = (password: string): string => {
    try {
      assertGoodPassword(password, "Ada Lovelace, Countess");
    } catch (error) {
      return String(error);
    }
    return "";
  };
  expect(refusal("a1")).toContain("at least 12 characters");
  expect(refusal("")).toContain("at least 12 characters");
  expect(refusal("\u{1f511}".repeat(11))).toContain("at least 12 characters");
  expect(refusal("x".repeat(1025))).toContain("at most 1024 characters");
  expect(refusal("y".repeat(10_000_000))).toContain("at most 1024 characters");
  expect(refusal("ada lovelace, COUNTESS")).toContain("must not be the user's name");
  for (const repeated of ["aaaaaaaaaaaaaa", "adminadminadmin", "Admin-Admin-Ad", "121212121212"]) {
    expect(refusal(repeated)).toContain("a few characters repeated");
  }
  for (const first of [
    "password1234",
    "Password_2026!",
    "administrator",
    "123456789012",
    "changeme-now",
    "mlflow-admin",
  ]) {
    expect(refusal(first)).toContain("tried first");
  }
  expect(refusal("a lone \ud800 surrogate")).toContain("must be text");
  expect(refusal("a null \0 character")).not.toContain("null \0");
  for (const good of ["twelve chars", "the password of ada", "plinths under columns", "--------------x1"]) {
    expect(refusal(good)).toBe("");
  }
});

test("what cannot be a password is not tried", () => {
  expect(isPossiblePassword("")).toBe(false);
  expect(isPossiblePassword("z".repeat(1_000_000))).toBe(false);
  expect(isPossiblePassword("\ud800 and more text")).toBe(false);
  expect(isPossiblePassword("short")).toBe(true);
});
