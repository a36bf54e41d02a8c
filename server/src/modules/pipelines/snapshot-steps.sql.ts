import type { Prepared, Queryable, Row } from "../../kernel/database.ts";

/** A step as a snapshot keeps it; what ends in `_json` is JSON already. */
export type NewSnapshotStep = {
  name: string;
  upstream: readonly string[];
  spec_json: string;
  overrides_json: string;
  config_json: string;
  max_retries: number;
  /** See `dag-nodes.ts`. */
  node_json?: string;
};

// Megabytes of JSON go as one text each: an array of texts would be escaped here and unescaped there. JSON never
// holds the character between them. With 1,000 rows of two texts of 2 kB: 85 ms in place of 150 ms.
const insertText: Prepared = {
  name: "pipelines_insert_snapshot_steps",
  text: `
    insert into pipelines.snapshot_steps
      (snapshot_id, name, position, upstream_steps, spec_json, overrides_json, config_json, max_retries, node_json)
    select $1::uuid, n.name, n.position - 1, array(select json_array_elements_text(n.upstream::json)),
      n.spec, n.overrides, coalesce(nullif(n.config, ''), n.overrides), n.max_retries, nullif(n.node, '')
    from rows from (
      unnest($2::text[]), string_to_table($3::text, chr(1)), string_to_table($4::text, chr(1)),
      string_to_table($5::text, chr(1)), string_to_table($6::text, chr(1)), unnest($7::integer[]),
      string_to_table($8::text, chr(1))
    ) with ordinality as n (name, upstream, spec, overrides, config, max_retries, node, position)`,
};

const SEPARATOR = "\u0001";

export async function insertSnapshotSteps(
  transaction: Queryable,
  snapshotId: string,
  steps: readonly NewSnapshotStep[],
): Promise<void> {
  if (steps.length === 0) return;
  const joined = (text: (step: NewSnapshotStep) => string): string => steps.map(text).join(SEPARATOR);
  await transaction.prepared(insertText, [
    snapshotId,
    steps.map(({ name }) => name),
    joined(({ upstream }) => JSON.stringify(upstream)),
    joined((step) => step.spec_json),
    joined((step) => step.overrides_json),
    // What is the same need not be sent twice.
    joined((step) => (step.config_json === step.overrides_json ? "" : step.config_json)),
    steps.map((step) => step.max_retries),
    joined((step) => step.node_json ?? ""),
  ]);
}

export type ShownStep = {
  snapshot_id: string;
  name: string;
  spec_json: string;
  overrides_json: string;
  config_json: string;
};

const COLUMNS = "snapshot_id, name, spec_json, overrides_json, config_json";

const allText: Prepared = {
  name: "pipelines_select_snapshot_steps",
  text: `
    select ${COLUMNS} from pipelines.snapshot_steps where snapshot_id = any ($1::uuid[])
    order by snapshot_id, position`,
};

const someText: Prepared = {
  name: "pipelines_select_some_snapshot_steps",
  text: `
    select ${COLUMNS} from pipelines.snapshot_steps
    where snapshot_id = any ($1::uuid[]) and name = any ($2::text[]) order by snapshot_id, position`,
};

/** In the order in which the client gave them; all where no names are given. */
export async function selectSnapshotSteps(
  database: Queryable,
  snapshotIds: readonly string[],
  names: readonly string[] | undefined,
): Promise<ShownStep[]> {
  if (snapshotIds.length === 0) return [];
  return names === undefined
    ? database.prepared<ShownStep & Row>(allText, [snapshotIds])
    : database.prepared<ShownStep & Row>(someText, [snapshotIds, names]);
}
