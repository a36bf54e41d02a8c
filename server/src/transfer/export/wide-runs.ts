import type { Batch, Cell, Column } from "../../kernel/copy-out.ts";
import type { UsedKeys } from "../../modules/tracking/index.ts";
import type { TableFile } from "./table-file.ts";

type Kind = UsedKeys["kind"];

/** The columns of MLflow's `search_runs` that every run has, by their place in the table `runs`. */
const RUN_COLUMNS = ["run_id", "experiment_id", "status", "artifact_uri", "start_time", "end_time"];

export type WideColumns = {
  columns: readonly Column[];
  /** How many keys of each kind got no column. */
  left: Readonly<Record<Kind, number>>;
};

/**
 * The columns of a table with one row for each run: `metrics.<key>`, `params.<key>` and `tags.<key>` of those keys
 * that most runs have. A table of 100,000 columns is one that no tool opens; the long tables have every key.
 */
export function wideColumns(runs: readonly Column[], used: readonly UsedKeys[], limit: number): WideColumns {
  const chosen = used
    .toSorted((a, b) => b.runs - a.runs || compare(a.kind, b.kind) || compare(a.key, b.key))
    .slice(0, limit);
  const left = { metrics: 0, params: 0, tags: 0 };
  const columns = RUN_COLUMNS.map((name) => runs.find((column) => column.name === name) as Column);
  for (const kind of ["metrics", "params", "tags"] as const) {
    const own = chosen.filter((one) => one.kind === kind).map((one) => one.key);
    left[kind] = (used.find((one) => one.kind === kind)?.distinct ?? 0) - own.length;
    const type = kind === "metrics" ? "number" : "text";
    for (const key of own.toSorted(compare)) columns.push({ name: `${kind}.${key}`, type, nullable: true });
  }
  return { columns, left };
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

/** Turns some runs at a time, and their values one by one, into rows. */
export class WideRuns {
  readonly #file: TableFile;
  readonly #fromRuns: readonly number[];
  readonly #columnOf: ReadonlyMap<string, number>;
  #rowOf = new Map<string, number>();
  #rows: Cell[][] = [];

  constructor(file: TableFile, runs: readonly Column[]) {
    this.#file = file;
    this.#columnOf = new Map(file.columns.map((column, index) => [column.name, index]));
    this.#fromRuns = RUN_COLUMNS.map((name) => runs.findIndex((column) => column.name === name));
    this.#clear();
  }

  #clear(): void {
    this.#rowOf = new Map();
    this.#rows = this.#file.columns.map(() => []);
  }

  addRuns(batch: Batch): void {
    for (const [row, id] of (batch[0] ?? []).entries()) {
      const at = this.#rowOf.size;
      this.#rowOf.set(id as string, at);
      for (const [index, column] of this.#rows.entries()) {
        const source = this.#fromRuns[index];
        column.push(source === undefined ? null : (batch[source]?.[row] ?? null));
      }
    }
  }

  /** Rows that begin with run id, key and value. */
  addValues(kind: Kind, [runs = [], keys = [], values = []]: Batch): void {
    for (const [index, key] of keys.entries()) {
      const column = this.#columnOf.get(`${kind}.${String(key)}`);
      const row = this.#rowOf.get(runs[index] as string);
      if (column === undefined || row === undefined) continue;
      (this.#rows[column] as Cell[])[row] = values[index] ?? null;
    }
  }

  async flush(): Promise<void> {
    await this.#file.append(this.#rows);
    this.#clear();
  }

  finish(): ReturnType<TableFile["finish"]> {
    return this.#file.finish();
  }
}
