import { sql } from "kysely";
import type { Database, Prepared, Queryable } from "../../kernel/database.ts";

export type KeyRow = { key_id: number; key: string };

// The two halves are disjoint: a statement does not see its own inserts.
const upsertKeysText: Prepared = {
  name: "tracking_upsert_keys",
  text: `
    with known as (
      select key_id, key from tracking.keys where key = any($1::text[])
    ), added as (
      insert into tracking.keys (key)
      select key from unnest($1::text[]) as wanted (key) where key not in (select key from known)
      on conflict on constraint keys_key_key do nothing
      returning key_id, key
    )
    select key_id, key from known union all select key_id, key from added`,
};

const selectKeysText: Prepared = {
  name: "tracking_select_keys",
  text: "select key_id, key from tracking.keys where key = any($1::text[])",
};

/** Adds those of the keys, given sorted, that do not exist, and returns all of them. */
async function upsertKeys(queryable: Queryable, keys: readonly string[]): Promise<KeyRow[]> {
  const rows = await queryable.prepared<KeyRow>(upsertKeysText, [keys]);
  // Another process added some at the same moment: only a new statement sees them.
  return rows.length === keys.length ? rows : queryable.prepared<KeyRow>(selectKeysText, [keys]);
}

/**
 * The dictionary of metric, parameter and tag keys, remembered in memory: rows are never changed or
 * removed, so what was read once stays true.
 */
export type Keys = {
  /** Makes sure that every key has an id; afterwards `idOf` knows them. */
  ensure(keys: Iterable<string>): Promise<void>;
  /** Those of the keys that are not remembered, sorted. */
  missing(keys: Iterable<string>): string[];
  /** Adds keys within a transaction; to be remembered only after its commit. */
  add(transaction: Queryable, keys: readonly string[]): Promise<KeyRow[]>;
  remember(rows: readonly KeyRow[]): void;
  /** The id of a key after `ensure` or `remember`. */
  idOf(key: string): number;
  /** The ids of those keys that exist, without creating any: searches must not grow the dictionary. */
  find(keys: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Makes sure that `jsonOf` knows every id. */
  load(ids: Iterable<number>): Promise<void>;
  /** The key of a loaded id as JSON text, quotes included. */
  jsonOf(id: number): string;
  /** The key of a loaded id. */
  keyOf(id: number): string;
};

/** About 100 MB at 250 characters a key. */
const REMEMBERED = 200_000;

type Memory<K, V> = { get(key: K): V | undefined; setAll(entries: readonly (readonly [K, V])[]): void };

/**
 * Forgets its older half when it is full. What was put in or asked for lately stays through that, however
 * much others put in meanwhile: whoever ensured a key finds it.
 */
function createMemory<K, V>(most: number): Memory<K, V> {
  let recent = new Map<K, V>();
  let older = new Map<K, V>();
  return {
    get(key) {
      const found = recent.get(key);
      if (found !== undefined) return found;
      const old = older.get(key);
      if (old !== undefined) recent.set(key, old);
      return old;
    },
    setAll(entries) {
      if (recent.size >= most / 2) {
        older = recent;
        recent = new Map();
      }
      for (const [key, value] of entries) recent.set(key, value);
    },
  };
}

export function createKeys(database: Database, remembered = REMEMBERED): Keys {
  const ids = createMemory<string, number>(remembered);
  const names = createMemory<number, { key: string; json: string }>(remembered);

  const remember = (rows: readonly KeyRow[]): void => {
    ids.setAll(rows.map(({ key_id: id, key }) => [key, id]));
    names.setAll(rows.map(({ key_id: id, key }) => [id, { key, json: JSON.stringify(key) }]));
  };

  const known = (id: number): { key: string; json: string } => {
    const name = names.get(id);
    if (name === undefined) throw new Error(`Key ${id} was not loaded.`);
    return name;
  };

  const unknown = (keys: Iterable<string>): string[] =>
    [...new Set(keys)].filter((key) => ids.get(key) === undefined).toSorted();

  return {
    async ensure(keys) {
      const missing = unknown(keys);
      if (missing.length > 0) remember(await upsertKeys(database, missing));
    },
    missing: unknown,
    add: upsertKeys,
    remember,
    idOf(key) {
      const id = ids.get(key);
      if (id === undefined) throw new Error(`Key '${key}' was not ensured.`);
      return id;
    },
    async find(keys) {
      const missing = keys.filter((key) => ids.get(key) === undefined);
      if (missing.length > 0) {
        const select = sql<{ key_id: number; key: string }>`
          select key_id, key from tracking.keys where key = any(${missing}::text[])`;
        remember(await database.run(select.compile(database.kysely)));
      }
      return new Map(
        keys.flatMap((key) => {
          const id = ids.get(key);
          return id === undefined ? [] : [[key, id] as const];
        }),
      );
    },
    async load(wanted) {
      const missing = new Set<number>();
      for (const id of wanted) if (names.get(id) === undefined) missing.add(id);
      if (missing.size === 0) return;
      const select = sql<{ key_id: number; key: string }>`
        select key_id, key from tracking.keys where key_id = any(${[...missing]}::integer[])`;
      remember(await database.run(select.compile(database.kysely)));
    },
    jsonOf: (id) => known(id).json,
    keyOf: (id) => known(id).key,
  };
}
