import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testDatabase } from "../../test/harness.ts";
import type { Cell } from "./copy-out.ts";
import { withSnapshot, type Snapshot } from "./snapshot.ts";
import { columnsOf } from "./table.ts";

let ground: Awaited<ReturnType<typeof testDatabase>>;

beforeAll(async () => {
  ground = await testDatabase();
});
afterAll(() => ground[Symbol.asyncDispose]());

const columns = columnsOf({ i: "integer", n: "number?", t: "text?", at: "timestamp?" });

/** Rows as they were read, and how many batches they came in. */
async function read(snapshot: Snapshot, select: string): Promise<{ rows: Cell[][]; batches: number }> {
  const rows: Cell[][] = [];
  let batches = 0;
  for await (const batch of snapshot.copy(select, columns)) {
    batches += 1;
    for (const index of (batch[0] ?? []).keys()) rows.push(batch.map((column) => column[index] as Cell));
  }
  return { rows, batches };
}

describe("a snapshot", () => {
  test("reads every value as it is", async () => {
    const values = `values
      (1::integer, 'NaN'::float8, '', 0::bigint), (-1, '-Infinity', null, -9223372036854775808),
      (2147483647, '-0', E'\\u65e5"\\n\\t\\\\', 9223372036854775807), (0, null, repeat('x', 70000), null)`;
    const { rows } = await withSnapshot(ground.connection, (snapshot) => read(snapshot, values));
    expect(rows).toEqual([
      [1n, Number.NaN, "", 0n],
      [-1n, -Infinity, null, -(2n ** 63n)],
      [2_147_483_647n, -0, '日"\n\t\\', 2n ** 63n - 1n],
      [0n, null, "x".repeat(70_000), null],
    ]);
  });

  test("reads nothing where nothing is, and again on the same connection", async () => {
    await withSnapshot(ground.connection, async (snapshot) => {
      const none = "select 1, 1::float8, '', 1::bigint where false";
      expect(await read(snapshot, none)).toEqual({ rows: [], batches: 0 });
      expect(await read(snapshot, "select 7, null::float8, null, null::bigint")).toMatchObject({
        rows: [[7n, null, null, null]],
      });
    });
  });

  test("reads many rows in batches that are few beside them, in order", async () => {
    const select = "select i, i / 2.0::float8, i::text, i::bigint from generate_series(1, 50000) as i";
    const { rows, batches } = await withSnapshot(ground.connection, async (snapshot) => {
      const seen: Cell[][] = [];
      let count = 0;
      for await (const batch of snapshot.copy(select, columns)) {
        expect(batch[0]?.length).toBeLessThan(10_000);
        count += 1;
        // Whoever takes them slowly loses none.
        await new Promise((resolve) => setTimeout(resolve, 5));
        for (const index of (batch[0] ?? []).keys()) seen.push(batch.map((column) => column[index] as Cell));
      }
      return { rows: seen, batches: count };
    });
    expect(batches).toBeGreaterThan(4);
    expect(rows.length).toBe(50_000);
    expect(
      rows.every(([i, n, t], index) => i === BigInt(index + 1) && n === (index + 1) / 2 && t === `${i}`),
    ).toBe(true);
  });

  test("keeps batches of long texts small", async () => {
    const select = "select i, 0::float8, repeat('x', 100000), null::bigint from generate_series(1, 100) as i";
    await withSnapshot(ground.connection, async (snapshot) => {
      for await (const batch of snapshot.copy(select, columns)) expect(batch[0]?.length).toBeLessThan(50);
    });
  });

  test("does not see what is written meanwhile, and cannot write", async () => {
    await withSnapshot(ground.connection, async (snapshot) => {
      const count = "select count(*)::integer as count from tracking.experiments";
      const [before] = await snapshot.rows(count);
      await ground.database.prepared(
        {
          name: "test_add",
          text: `insert into tracking.experiments (name, artifact_location, creation_time, last_update_time)
            values ('meanwhile', '', 0, 0)`,
        },
        [],
      );
      expect(await snapshot.rows(count)).toEqual([before]);
      await expect(snapshot.rows("delete from tracking.experiments")).rejects.toThrow("read-only");
    });
  });

  test("gives a cursor's rows some at a time, with other statements between", async () => {
    await withSnapshot(ground.connection, async (snapshot) => {
      const cursor = await snapshot.openCursor("numbers", "select i from generate_series(1, 5) as i");
      expect(await cursor.fetch(2)).toEqual([{ i: 1 }, { i: 2 }]);
      expect(await read(snapshot, "select 1, 1::float8, '', 1::bigint")).toMatchObject({ batches: 1 });
      expect(await cursor.fetch(3)).toEqual([{ i: 3 }, { i: 4 }, { i: 5 }]);
      expect(await cursor.fetch(3)).toEqual([]);
      await cursor.close();
      await expect(cursor.fetch(1)).rejects.toThrow("does not exist");
    });
  });

  test("fails with a failing statement, in the middle of its rows too", async () => {
    const select = "select i, 1 / (30000 - i)::float8, '', 1::bigint from generate_series(1, 50000) as i";
    const reading = withSnapshot(ground.connection, (snapshot) => read(snapshot, select));
    await expect(reading).rejects.toMatchObject({ name: "PlinthError", code: "invalid_parameter" });
  });

  test("passes on what fails in the work itself, although rows are left", async () => {
    const failure = new Error("of the work");
    const reading = withSnapshot(ground.connection, async (snapshot) => {
      const rows = snapshot.copy(
        "select i, 0::float8, '', 0::bigint from generate_series(1, 1000000) as i",
        columns,
      );
      for await (const batch of rows) if (batch.length > 0) throw failure;
    });
    await expect(reading).rejects.toBe(failure);
  });

  test("ends with the reason of its signal, in the middle of a statement", async () => {
    const stop = new AbortController();
    const waiting = withSnapshot(
      ground.connection,
      async (snapshot) => {
        await snapshot.rows("select 1");
        setTimeout(() => stop.abort(new Error("enough")), 50);
        return snapshot.rows("select pg_sleep(600)");
      },
      stop.signal,
    );
    await expect(waiting).rejects.toThrow("enough");
    await expect(withSnapshot(ground.connection, () => Promise.resolve(1), stop.signal)).rejects.toThrow(
      "enough",
    );
  });

  test("says when the connection is lost", async () => {
    const reading = withSnapshot(ground.connection, async (snapshot) => {
      const [row] = await snapshot.rows<{ pid: number }>("select pg_backend_pid() as pid");
      await ground.database.prepared({ name: "test_end", text: "select pg_terminate_backend($1)" }, [
        row?.pid,
      ]);
      return read(snapshot, "select 1, 1::float8, '', 1::bigint");
    });
    await expect(reading).rejects.toMatchObject({ name: "PlinthError", code: "unavailable" });
  });
});
