import { reads } from "../../kernel/access.ts";
import { invalidParameter, notFound } from "../../kernel/errors.ts";
import {
  runs,
  selectLogsOf,
  selectRow,
  steps,
  noSuch,
  type Database,
  type LogsRow,
} from "../../modules/pipelines/index.ts";
import type { ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { invalidRequest } from "./errors.ts";
import { hyphenated, uuid } from "./fields.ts";
import { readFlag } from "./list-query.ts";
import { noRunnerLogs, RUNNER } from "./logs.ts";
import { MAX_ENTRIES, readInteger } from "./log-queries.ts";
import { readerOf } from "./secrets.ts";
import { toldOfLogs } from "./store-errors.ts";

/** What 0.84 is given at once: as much as it asks for by itself. */
const MAX_TEXT = 16 * 1024 * 1024;

type Kind = {
  table: typeof runs | typeof steps;
  label: string;
  /** In messages. */
  short: string;
  owner: "pipeline_run_id" | "step_run_id";
  param: string;
  path: string;
};

const kinds: readonly Kind[] = [
  {
    table: runs,
    label: "pipeline run",
    short: "run",
    owner: "pipeline_run_id",
    param: "run_id",
    path: "/runs/:run_id/logs",
  },
  {
    table: steps,
    label: "step run",
    short: "step",
    owner: "step_run_id",
    param: "step_id",
    path: "/steps/:step_id/logs",
  },
];

/** The logs of runs and steps by what wrote them: entries for 0.98, the text as it was written for 0.84. */
export function logSourceEndpoints(context: ZenmlContext, database: Database): ZenmlEndpoint[] {
  const { logReader } = context.pipelines;

  const logsOf = async (call: ZenmlCall, { table, label, owner, param }: Kind): Promise<LogsRow[]> => {
    const collection = {
      label,
      async get(id: string) {
        const row = await selectRow<typeof runs | typeof steps>(database, table, id);
        if (row === undefined) throw noSuch(label, id);
        return row;
      },
    };
    const id = hyphenated(call.path[param] ?? "");
    await context.getInProject(call, { collection, id, action: "read" });
    return (await selectLogsOf(database, owner, [id])).get(id) ?? [];
  };

  const entries = async (call: ZenmlCall, kind: Kind): Promise<unknown> => {
    const { source, logsId } = readSelector(call);
    const rows = await logsOf(call, kind);
    const id = call.path[kind.param];
    const row = rows.find((one) => (logsId === undefined ? one.source === source : one.id === logsId));
    if (kind.short === "run" && (row?.source ?? source) === RUNNER) throw noRunnerLogs();
    if (row === undefined) {
      const named = logsId === undefined ? `source '${source}'` : `ID '${logsId}'`;
      throw notFound(
        rows.length === 0
          ? `No logs found ${kind.short === "run" ? "in run" : "for step"} ${id}.`
          : `No logs found for ${named} in ${kind.short} ${id}`,
      );
    }
    const options = { filter: {}, limit: MAX_ENTRIES, backwards: false };
    const page = await toldOfLogs(logReader.page(row, readerOf(call.request), options));
    return page.entries.map(({ entry }) => entry);
  };

  const text = async (call: ZenmlCall, kind: Kind): Promise<string> => {
    const { query } = call;
    // Steps had logs of one source then.
    const source = kind.short === "run" ? query["source"] : undefined;
    if (kind.short === "run" && source === undefined) throw missingSource();
    const offset = readInteger(query, "offset") ?? 0;
    const length = readInteger(query, "length") ?? MAX_TEXT;
    const rows = await logsOf(call, kind);
    const row =
      rows.find((one) => one.source === (source ?? "step")) ?? (source === undefined ? rows[0] : undefined);
    if (row === undefined) throw notFound(`No logs found for ${kind.short} ${call.path[kind.param]}`);
    const part = { offset, length: length < 0 ? MAX_TEXT : Math.min(length, MAX_TEXT) };
    const bytes = await toldOfLogs(logReader.bytes(row, readerOf(call.request), part));
    const written = bytes.toString("utf8");
    return readFlag(call.parameters, "strip_timestamp", false) ? written.replaceAll(TIME, "") : written;
  };

  return kinds.map((kind) =>
    endpoint({
      method: "GET",
      path: kind.path,
      access: reads("pipeline"),
      handle: (call) => (call.isOld ? text(call, kind) : entries(call, kind)),
    }),
  );
}

/** As clients of 0.84 begin a message. */
const TIME = /^\[?\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\]?\s*/gm;

function readSelector({ query }: ZenmlCall): { source: string | undefined; logsId: string | undefined } {
  const { source, logs_id: given } = query;
  if (given !== undefined && !uuid.safeParse(given).success) {
    throw invalidRequest([
      { type: "uuid_parsing", loc: ["query", "logs_id"], msg: "Input should be a valid UUID" },
    ]);
  }
  if (source === undefined && given === undefined) {
    throw invalidParameter("Either source or logs_id must be provided.");
  }
  if (source !== undefined && given !== undefined) {
    throw invalidParameter("Only one of source or logs_id must be provided.");
  }
  return { source, logsId: given === undefined ? undefined : hyphenated(given) };
}

const missingSource = (): Error =>
  invalidRequest([{ type: "missing", loc: ["query", "source"], msg: "Field required" }]);
