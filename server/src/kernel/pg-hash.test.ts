import { expect, test } from "vitest";
import { sql } from "kysely";
import { testDatabase } from "../../test/harness.ts";
import { createHashSum, hashText, type Hash } from "./pg-hash.ts";

const NONE: Hash = { high: 0, low: 0 };

const signed = ({ high, low }: Hash): bigint => BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low));

test("texts hash as in PostgreSQL, whatever their length and seed", async () => {
  await using ground = await testDatabase();
  const texts = [
    "",
    "a",
    "loss",
    "accuracy",
    "val/loss_12",
    "exactly12byt",
    "thirteen byte",
    "κλειδί 🙂",
    "x".repeat(1000),
  ];
  const select = sql<{ plain: number | bigint; seeded: number | bigint }>`
    select hashtextextended(text collate "C", 0) as plain,
      hashtextextended(text collate "C", hashtextextended('seed' collate "C", 2)) as seeded
    from unnest(${texts}::text[]) with ordinality as t (text, n) order by n`;
  const rows = await ground.database.run(select.compile(ground.database.kysely));
  const seed = hashText("seed", { high: 0, low: 2 });
  expect(texts.map((text) => signed(hashText(text, NONE)))).toEqual(rows.map((row) => BigInt(row.plain)));
  expect(texts.map((text) => signed(hashText(text, seed)))).toEqual(rows.map((row) => BigInt(row.seeded)));
});

test("points hash as in PostgreSQL, the odd ones among them", async () => {
  await using ground = await testDatabase();
  const values = [0, -0, 1, -1.5, 0.1, Number.NaN, 1.7976931348623157e308, -1.7976931348623157e308, 5e-324];
  const ints = [
    0,
    1,
    -1,
    2 ** 31,
    -(2 ** 31) - 1,
    1_700_000_000_000,
    9_007_199_254_740_993n,
    -9_223_372_036_854_775_808n,
  ];
  const points = values.flatMap((value) =>
    ints.map((int, index) => ({ value, int, other: ints.at(-1 - index) ?? 0 })),
  );
  const select = sql<{ hash: number | bigint }>`
    select hashint8extended(other, hashint8extended(int, hashfloat8extended(value, hashtextextended('k' collate "C", 0)))) as hash
    from unnest(${points.map((p) => p.value)}::float8[], ${points.map((p) => p.int)}::bigint[],
      ${points.map((p) => p.other)}::bigint[]) with ordinality as t (value, int, other, n) order by n`;
  const rows = await ground.database.run(select.compile(ground.database.kysely));
  const seed = hashText("k", NONE);
  const single = points.map(({ value, int, other }) => {
    const sum = createHashSum();
    sum.addPoint(seed, value, [int, other]);
    return sum.total();
  });
  expect(single).toEqual(rows.map((row) => BigInt(row.hash)));
  const all = createHashSum();
  for (const { value, int, other } of points) all.addPoint(seed, value, [int, other]);
  expect(all.total()).toBe(
    BigInt.asIntN(
      64,
      rows.reduce((total, row) => total + BigInt(row.hash), 0n),
    ),
  );
});
