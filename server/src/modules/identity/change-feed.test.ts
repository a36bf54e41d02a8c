import { afterAll, beforeAll, expect, test } from "vitest";
import { testDatabase } from "../../../test/harness.ts";
import { createChangeFeed, type ChangeFeed } from "./change-feed.ts";
import { recordChange, type Change, type Changed } from "./changes.sql.ts";

let ground: Awaited<ReturnType<typeof testDatabase>>;
beforeAll(async () => {
  ground = await testDatabase();
});
afterAll(async () => {
  await ground[Symbol.asyncDispose]();
});

type Clock = { at: number };

/** A feed that has read once, and what it told since. */
async function openFeed(clock: Clock): Promise<{ feed: ChangeFeed; heard: (string | readonly Change[])[] }> {
  const heard: (string | readonly Change[])[] = [];
  const feed = createChangeFeed({ database: ground.database, now: () => clock.at });
  feed.onChange((changes) => heard.push(changes));
  await feed.fresh();
  // Nothing was known before: all of it is forgotten.
  expect(heard.splice(0)).toStrictEqual(["all"]);
  return { feed, heard };
}

const change = (changed: Changed): Promise<void> =>
  ground.database.transaction((transaction) => recordChange(transaction, changed));

const deleteChanges = (): Promise<unknown> =>
  ground.database.prepared({ name: "test_delete_changes", text: "delete from identity.changes" }, []);

test("changes are told once, in their order, to whoever asks to read now", async () => {
  const { feed, heard } = await openFeed({ at: 1000 });
  const before = feed.generation;
  await change({ principalId: 7 });
  await change({ workspaceId: 3 });
  await Promise.all([feed.readNow(), feed.readNow(), feed.readNow()]);
  expect(heard.flat()).toMatchObject([
    { principal_id: 7, role_id: null, workspace_id: null },
    { principal_id: null, role_id: null, workspace_id: 3 },
  ]);
  expect(feed.generation).toBe(before + 1);
  await feed.readNow();
  expect(heard).toHaveLength(1);
  await feed.close();
});

test("a change within a transaction that fails is none", async () => {
  const { feed, heard } = await openFeed({ at: 1000 });
  await ground.database
    .transaction(async (transaction) => {
      await recordChange(transaction, { roleId: 1 });
      throw new Error("undone");
    })
    .catch(() => undefined);
  await feed.readNow();
  expect(heard).toStrictEqual([]);
  await feed.close();
});

test("whoever missed changes that are deleted forgets everything", async () => {
  const { feed, heard } = await openFeed({ at: 1000 });
  await change({ principalId: 7 });
  await deleteChanges();
  await feed.readNow();
  expect(heard.splice(0)).toStrictEqual(["all"]);
  // And also when only some of them are.
  await change({ principalId: 7 });
  await deleteChanges();
  await change({ principalId: 8 });
  await feed.readNow();
  expect(heard.splice(0)).toStrictEqual(["all"]);
  await change({ principalId: 9 });
  await feed.readNow();
  expect(heard.flat()).toMatchObject([{ principal_id: 9 }]);
  await feed.close();
});

test("a database that was set back makes everything forgotten", async () => {
  const { feed, heard } = await openFeed({ at: 1000 });
  await ground.database.prepared(
    { name: "test_set_back", text: "update identity.change_counter set last_change = last_change - 1" },
    [],
  );
  await deleteChanges();
  await feed.readNow();
  expect(heard).toStrictEqual(["all"]);
  await feed.close();
});

test("what was read counts for 1.5 s, and for no time at all when the clock is set back", async () => {
  const clock = { at: 10_000 };
  const { feed } = await openFeed(clock);
  expect(feed.fresh()).toBeUndefined();
  clock.at = 11_500;
  expect(feed.fresh()).toBeUndefined();
  clock.at = 11_501;
  await expect(feed.fresh()).resolves.toBeUndefined();
  expect(feed.fresh()).toBeUndefined();
  clock.at = 5000;
  expect(feed.fresh()).toBeInstanceOf(Promise);
  await feed.fresh();
  expect(feed.fresh()).toBeUndefined();
  await feed.close();
});

test("a change that could not be read at once is waited for by whoever asks next", async () => {
  const clock = { at: 10_000 };
  const { feed, heard } = await openFeed(clock);
  const rename = (from: string, to: string): Promise<unknown> =>
    ground.database.prepared(
      { name: `test_${to}`, text: `alter table identity.${from} rename to ${to}` },
      [],
    );
  await change({ principalId: 7 });
  await rename("changes", "changes_away");
  // The change itself is done, whoever made it need not hear of this.
  await feed.readNow();
  await expect(feed.fresh()).rejects.toMatchObject({ code: "unavailable", retryAfterSeconds: 1 });
  await rename("changes_away", "changes");
  await feed.fresh();
  expect(heard.flat()).toMatchObject([{ principal_id: 7 }]);
  await feed.close();
});
