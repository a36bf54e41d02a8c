import type { Prepared, Queryable, Row } from "../../kernel/database.ts";

/** Lines that were sent together for one log, or a part of them; the parts of a log in their order. */
export type NewChunk = { logId: string; digest: Buffer; lines: Buffer };

/** In the order of their ids, so that two that send for the same logs wait for one another once. */
const lockText: Prepared = {
  name: "pipelines_lock_logs",
  text: "select id from pipelines.logs where id = any ($1::uuid[]) order by id for no key update",
};

/** Each behind what is there of its log; what was sent before is there already. */
const appendText: Prepared = {
  name: "pipelines_append_log_chunks",
  text: `
    with given as (
      select log_id, digest, lines, octet_length(lines) as bytes,
        sum(octet_length(lines)) over (partition by log_id order by position) as behind
      from unnest($1::uuid[], $2::bytea[], $3::bytea[]) with ordinality as g (log_id, digest, lines, position)
    ), ends as (
      select ids.log_id, coalesce((
        select c.end_byte from pipelines.log_chunks as c
        where c.log_id = ids.log_id order by c.start_byte desc limit 1), 0) as end_byte
      from (select distinct log_id from given) as ids
    )
    insert into pipelines.log_chunks (log_id, start_byte, end_byte, digest, lines)
    select log_id, ends.end_byte + behind - bytes, ends.end_byte + behind, digest, lines
    from given join ends using (log_id)
    on conflict (log_id, digest) do nothing`,
};

export async function lockLogs(transaction: Queryable, ids: readonly string[]): Promise<Set<string>> {
  const rows = await transaction.prepared<{ id: string }>(lockText, [ids]);
  return new Set(rows.map(({ id }) => id));
}

export async function appendChunks(transaction: Queryable, chunks: readonly NewChunk[]): Promise<void> {
  await transaction.prepared(appendText, [
    chunks.map(({ logId }) => logId),
    chunks.map(({ digest }) => digest),
    chunks.map(({ lines }) => lines),
  ]);
}

const sizeText: Prepared = {
  name: "pipelines_select_log_size",
  text: "select end_byte from pipelines.log_chunks where log_id = $1 order by start_byte desc limit 1",
};

/** Undefined where nothing was sent. */
export async function selectLogSize(database: Queryable, logId: string): Promise<number | undefined> {
  const [row] = await database.prepared<{ end_byte: number }>(sizeText, [logId]);
  return row?.end_byte;
}

/** Chunks in order, of which only the bytes in between come along. */
const bytesText: Prepared = {
  name: "pipelines_select_log_bytes",
  text: `
    select substring(
      c.lines
      from greatest($2 - c.start_byte, 0)::integer + 1
      for (least($3, c.end_byte) - greatest($2, c.start_byte))::integer
    ) as bytes
    from pipelines.log_chunks as c
    where c.log_id = $1 and c.start_byte < $3
      and c.start_byte >= coalesce(
        (select max(f.start_byte) from pipelines.log_chunks as f where f.log_id = $1 and f.start_byte <= $2), 0)
    order by c.start_byte`,
};

export async function selectLogBytes(
  database: Queryable,
  logId: string,
  { start, end }: { start: number; end: number },
): Promise<Buffer> {
  if (end <= start) return Buffer.alloc(0);
  const rows = await database.prepared<Row & { bytes: Buffer }>(bytesText, [logId, start, end]);
  return Buffer.concat(rows.map(({ bytes }) => bytes));
}
