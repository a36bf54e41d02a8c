import type { Database, Prepared, Queryable } from "../../kernel/database.ts";
import { invalidParameter } from "../../kernel/errors.ts";
import { int4Array } from "../../kernel/pg-arrays.ts";

/**
 * Ids of experiments, as clients know them, and the 4-byte numbers that stand for them inside. Up to
 * 1,999,999,999 both are the same. A longer id, as an imported experiment of MLflow's file store has, is
 * looked up in `tracking.experiment_ids`.
 */
export type ExperimentIds = {
  /**
   * The numbers behind ids, in order; undefined for one that no experiment has. Throws `invalid_parameter`
   * for one that is not an integer.
   */
  numbersOf(ids: readonly string[]): Promise<(number | undefined)[]>;
  numberOf(id: string): Promise<number | undefined>;
  /** Makes sure that `idOf` knows every number. */
  load(numbers: readonly number[]): Promise<void>;
  /** The id behind a loaded number. */
  idOf(number: number): string;
};

/** The first number that is not an id. */
export const FIRST_LONG = 2_000_000_000;

const INTEGER = /^\s*[+-]?\d+\s*$/;
const LONGEST = 9_223_372_036_854_775_807n;

/** A number, where it is the id; a text of digits, where it is to be looked up; undefined where it is no id. */
export function readExperimentId(id: string): number | string | undefined {
  if (!INTEGER.test(id)) {
    throw invalidParameter(`Invalid experiment ID '${id}'. Experiment ID must be a valid integer.`);
  }
  const number = Number(id);
  if (number < 0) return undefined;
  if (number < FIRST_LONG) return number;
  // Beyond 20 digits there is no need to read them all.
  const exact = id.trim().length > 400 ? LONGEST + 1n : BigInt(id.trim());
  return exact > LONGEST ? undefined : String(exact);
}

const selectNumbersText: Prepared = {
  name: "tracking_select_experiment_numbers",
  text: "select experiment_id, long_id::text as id from tracking.experiment_ids where long_id = any($1::bigint[])",
};

const selectIdsText: Prepared = {
  name: "tracking_select_experiment_ids",
  text: "select experiment_id, long_id::text as id from tracking.experiment_ids where experiment_id = any($1::integer[])",
};

type IdRow = { experiment_id: number; id: string };

export function createExperimentIds(database: Database): ExperimentIds {
  // A number is used once, so what was read stays true. Ids are not remembered the other way: after a purge
  // the same one may be imported again, under another number.
  const known = new Map<number, string>();

  const remember = (rows: readonly IdRow[]): void => {
    for (const { experiment_id: number, id } of rows) known.set(number, id);
  };

  const numbersOf: ExperimentIds["numbersOf"] = async (ids) => {
    const read = ids.map(readExperimentId);
    const long = read.filter((one) => typeof one === "string");
    if (long.length === 0) return read as (number | undefined)[];
    const rows = await database.prepared<IdRow>(selectNumbersText, [long]);
    remember(rows);
    const numbers = new Map(rows.map((row) => [row.id, row.experiment_id]));
    return read.map((one) => (typeof one === "string" ? numbers.get(one) : one));
  };

  return {
    numbersOf,
    numberOf: async (id) => (await numbersOf([id]))[0],
    async load(numbers) {
      const missing = numbers.filter((number) => number >= FIRST_LONG && !known.has(number));
      if (missing.length > 0)
        remember(await database.prepared<IdRow>(selectIdsText, [int4Array([...new Set(missing)])]));
    },
    // One that was purged since its rows were read has no id any more.
    idOf: (number) => (number < FIRST_LONG ? String(number) : (known.get(number) ?? String(number))),
  };
}

/** SQL of the id that clients know; `number` is SQL too. */
export const idText = (number: string): string => `tracking.experiment_id_text(${number})`;

const nextNumbersText: Prepared = {
  name: "tracking_next_long_numbers",
  text: "select nextval('tracking.long_experiment_numbers')::integer as number from generate_series(1, $1::integer)",
};

/** Numbers for experiments with long ids, each used once. */
export async function nextLongNumbers(database: Queryable, count: number): Promise<number[]> {
  return (await database.prepared<{ number: number }>(nextNumbersText, [count])).map((row) => row.number);
}

const insertIdsText: Prepared = {
  name: "tracking_insert_experiment_ids",
  text: `
    insert into tracking.experiment_ids (experiment_id, long_id)
    select experiment_id, long_id from unnest($1::integer[], $2::bigint[]) as new (experiment_id, long_id)`,
};

/** Gives experiments with long ids, which must exist, their ids. A taken id violates `experiment_ids_long_id_key`. */
export async function insertExperimentIds(
  transaction: Queryable,
  rows: readonly { experiment_id: number; id: string }[],
): Promise<void> {
  await transaction.prepared(insertIdsText, [
    int4Array(rows.map((row) => row.experiment_id)),
    rows.map((row) => row.id),
  ]);
}

/** The numbers of those of the long ids that are taken. */
export async function selectLongIds(
  database: Queryable,
  ids: readonly string[],
): Promise<Map<string, number>> {
  const rows = await database.prepared<IdRow>(selectNumbersText, [ids]);
  return new Map(rows.map((row) => [row.id, row.experiment_id]));
}
