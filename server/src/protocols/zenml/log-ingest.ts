import type { FastifyInstance, FastifyRequest } from "fastify";
import { promisify } from "node:util";
import { gunzip, inflate } from "node:zlib";
import { uses } from "../../kernel/access.ts";
import { badRequest, permissionDenied, PlinthError } from "../../kernel/errors.ts";
import {
  INGEST_PATH,
  logs,
  selectRows,
  type Database,
  type Pipelines,
  type SentEntry,
} from "../../modules/pipelines/index.ts";
import type { ZenmlAccess } from "./access.ts";
import { readOtlpLogs } from "./otlp-logs.ts";

export type LogIngestDeps = {
  access: ZenmlAccess;
  database: Database;
  pipelines: Pick<Pipelines, "logChunks">;
  /** Milliseconds since 1970. */
  now(): number;
};

/** Of what is packed: 5,000 records, as ZenML's client sends at once, are some 10 MB. */
const MAX_BYTES = 32 * 1024 * 1024;
const MAX_LOGS = 100;

const unpackings: Readonly<Record<string, (body: Buffer, options: object) => Promise<Buffer>>> = {
  gzip: promisify(gunzip),
  deflate: promisify(inflate),
};

/**
 * Where ZenML's log store `otel` can send what runs write, so that no artifact store is needed to keep it:
 * `--endpoint=<this server>/otlp/v1/logs --headers='{"Authorization": "Bearer <key>"}'`. Each record names its log in an
 * attribute; whoever may change the log may write to it.
 */
export async function registerLogIngest(app: FastifyInstance, deps: LogIngestDeps): Promise<void> {
  await app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, parsed) => {
      parsed(null, body);
    });
    scope.route({
      method: "POST",
      url: INGEST_PATH,
      config: { access: uses("pipeline"), protocol: "zenml" },
      async handler(request, reply) {
        const read = readOtlpLogs(await readJson(request), Math.round(deps.now() * 1000));
        if (read === undefined) throw badRequest("The body is no export of logs.");
        const allowed = await allowedOf(request, read.entries, deps);
        const kept = read.entries.filter(({ logId }) => allowed.has(logId));
        await deps.pipelines.logChunks.append(kept);
        const rejected = read.unknown + read.entries.length - kept.length;
        return reply.header("content-type", "application/json").send(JSON.stringify(answerOf(rejected)));
      },
    });
    done();
  });
}

const answerOf = (rejected: number): object =>
  rejected === 0
    ? {}
    : {
        partialSuccess: {
          rejectedLogRecords: String(rejected),
          errorMessage: "Some records name no log (zenml.log.id), or none that you may write to.",
        },
      };

/** The logs that the caller may write to. Throws `permission_denied` where records name logs, and it is none of them. */
async function allowedOf(
  request: FastifyRequest,
  entries: readonly SentEntry[],
  { access, database }: LogIngestDeps,
): Promise<Set<string>> {
  const ids = [...new Set(entries.map(({ logId }) => logId))];
  if (ids.length > MAX_LOGS) throw badRequest(`An export is of ${MAX_LOGS} logs at most.`);
  if (ids.length === 0) await access.requireShared(request, "use");
  const allowed = new Set<string>();
  for (const row of (await selectRows(database, logs, ids)).values()) {
    try {
      await access.enterProjectOf(request, row, { action: "edit", label: "log" });
      allowed.add(row.id);
    } catch (error) {
      if (!(error instanceof PlinthError)) throw error;
      if (error.code !== "not_found" && error.code !== "permission_denied") throw error;
    }
  }
  if (allowed.size === 0 && ids.length > 0) {
    throw permissionDenied("The records name no log that you may write to.");
  }
  return allowed;
}

async function readJson({ headers, body }: FastifyRequest): Promise<unknown> {
  const type = headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/json") throw badRequest("Logs are taken as application/json.");
  const packed = (body as Buffer | undefined) ?? Buffer.alloc(0);
  const encoding = headers["content-encoding"]?.trim().toLowerCase() ?? "identity";
  const unpack = Object.hasOwn(unpackings, encoding) ? unpackings[encoding] : undefined;
  if (unpack === undefined && encoding !== "identity" && encoding !== "none") {
    throw badRequest(`Logs are taken as they are, or packed by ${Object.keys(unpackings).join(" or ")}.`);
  }
  try {
    const bytes = (await unpack?.(packed, { maxOutputLength: MAX_BYTES })) ?? packed;
    if (bytes.length > MAX_BYTES) throw new RangeError("too long");
    return JSON.parse(bytes.toString("utf8")) as unknown;
  } catch (error) {
    const isLong = error instanceof RangeError;
    if (isLong) throw new PlinthError("too_large", `An export of logs holds ${MAX_BYTES} bytes at most.`);
    throw badRequest("The body is no JSON, or not packed as it says.");
  }
}
