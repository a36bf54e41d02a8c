import { afterAll, beforeAll, expect, test } from "vitest";
import { testDatabase } from "../../../test/harness.ts";
import {
  ACCOUNT_LIMIT,
  ADDRESS_LIMIT,
  createLoginLimits,
  loginSubjects,
  networkOf,
  PAIR_LIMIT,
  WINDOW_MS,
} from "./login-limits.ts";

let ground: Awaited<ReturnType<typeof testDatabase>>;
let time = 1_000_000_000_000;
beforeAll(async () => {
  ground = await testDatabase();
});
afterAll(async () => {
  await ground[Symbol.asyncDispose]();
});

const limitsNow = (): ReturnType<typeof createLoginLimits> =>
  createLoginLimits({ database: ground.database, now: () => time });

/** How many of so many attempts, all at once, are let through. */
async function attempts(
  count: number,
  of: (index: number) => [name: string, address: string],
): Promise<number> {
  const limits = limitsNow();
  const begun = Array.from({ length: count }, (_, index) => limits.begin(loginSubjects(...of(index))));
  const settled = await Promise.allSettled(begun);
  const refused = settled.filter((one) => one.status === "rejected");
  for (const { reason } of refused) expect(reason).toMatchObject({ code: "too_many_requests" });
  return count - refused.length;
}

test("at most so many of one account from one address, also at once, by several processes", async () => {
  const half = (): Promise<number> => attempts(20, () => ["ada", "192.0.2.1"]);
  const [left, right] = await Promise.all([half(), half()]);
  expect(left + right).toBe(PAIR_LIMIT);
  // Elsewhere the account may still be tried, and here another one.
  expect(await attempts(1, () => ["ada", "192.0.2.2"])).toBe(1);
  expect(await attempts(1, () => ["grace", "192.0.2.1"])).toBe(1);
});

test("a block says when it ends, and ends by itself though attempts go on", async () => {
  const subjects = loginSubjects("barbara", "192.0.2.9");
  expect(await attempts(PAIR_LIMIT, () => ["barbara", "192.0.2.9"])).toBe(PAIR_LIMIT);
  await expect(limitsNow().check(subjects)).rejects.toMatchObject({ retryAfterSeconds: WINDOW_MS / 1000 });
  time += WINDOW_MS - 1000;
  expect(await attempts(30, () => ["barbara", "192.0.2.9"])).toBe(0);
  await expect(limitsNow().check(subjects)).rejects.toMatchObject({ retryAfterSeconds: 1 });
  time += 1000;
  await expect(limitsNow().check(subjects)).resolves.toStrictEqual({ isKnown: false });
});

test("the time to wait is that of the block, not of other counts of the address", async () => {
  expect(await attempts(1, () => ["dorothy", "192.0.2.50"])).toBe(1);
  time += WINDOW_MS / 2;
  expect(await attempts(PAIR_LIMIT, () => ["annie", "192.0.2.50"])).toBe(PAIR_LIMIT);
  await expect(limitsNow().check(loginSubjects("annie", "192.0.2.50"))).rejects.toMatchObject({
    retryAfterSeconds: WINDOW_MS / 1000,
  });
});

test("at most so many from one address, whatever the accounts; an IPv6 network is one address", async () => {
  const v6 = (index: number): string => `2001:db8:0:7::${(index + 1).toString(16)}`;
  expect(await attempts(60, (index) => [`user ${index}`, v6(index)])).toBe(ADDRESS_LIMIT);
  expect(await attempts(1, () => ["user 0", "2001:db8:0:8::1"])).toBe(1);
});

test("at most so many of one account from all addresses, but where its password was right before", async () => {
  const limits = limitsNow();
  const home = loginSubjects("katherine", "198.51.100.1");
  await limits.begin(home);
  await limits.end(home);
  const tried = await attempts(130, (index) => ["katherine", `203.0.113.${index}`]);
  expect(tried).toBe(ACCOUNT_LIMIT);
  await expect(limits.begin(loginSubjects("katherine", "198.51.100.2"))).rejects.toMatchObject({
    code: "too_many_requests",
  });
  await expect(limits.begin(home)).resolves.toBeUndefined();
  // There its own limit holds.
  expect(await attempts(20, () => ["katherine", "198.51.100.1"])).toBe(PAIR_LIMIT - 1);
});

test("a right attempt does not count, and begins the count of its account at its address anew", async () => {
  const limits = limitsNow();
  const here = loginSubjects("mary", "198.51.100.77");
  for (let round = 0; round < 5; round += 1) {
    expect(await attempts(PAIR_LIMIT - 1, () => ["mary", "198.51.100.77"])).toBe(PAIR_LIMIT - 1);
    await limits.begin(here);
    await limits.end(here);
  }
});

test("what is over is swept, what is known stays", async () => {
  time += WINDOW_MS + 1;
  await limitsNow().sweep();
  const left = await ground.database.prepared<{ subject: string }>(
    { name: "test_subjects", text: "select subject from identity.login_failures order by 1" },
    [],
  );
  const known = [
    loginSubjects("katherine", "198.51.100.1").pair,
    loginSubjects("mary", "198.51.100.77").pair,
  ];
  expect(left.map(({ subject }) => subject)).toStrictEqual(known.toSorted());
});

test("names are counted hashed, however long or odd", () => {
  const long = loginSubjects("x".repeat(1_000_000), "192.0.2.1");
  expect(long.account).toHaveLength("account:".length + 22);
  expect(loginSubjects("\ud800", "192.0.2.1").pair).toContain("192.0.2.1");
  expect(loginSubjects("caf\u00e9", "192.0.2.1")).toStrictEqual(loginSubjects("cafe\u0301", "192.0.2.1"));
});

test("addresses become networks", () => {
  expect(networkOf("192.0.2.7")).toBe("192.0.2.7");
  expect(networkOf("::ffff:192.0.2.7")).toBe("192.0.2.7");
  expect(networkOf("::1")).toBe("0:0:0:0::/64");
  expect(networkOf("2001:DB8:1:2:3:4:5:6")).toBe("2001:db8:1:2::/64");
  expect(networkOf("2001:db8::5:6:7:8")).toBe("2001:db8:0:0::/64");
  expect(networkOf("fe80::1%eth0")).toBe("fe80:0:0:0::/64");
  expect(networkOf("64:ff9b::192.0.2.7")).toBe("64:ff9b:0:0::/64");
});
