import { createHash } from "node:crypto";
import { stripVTControlCharacters } from "node:util";
import { microsToIso, type Micros } from "../../kernel/micros.ts";
import type { SentEntry } from "../../modules/pipelines/index.ts";

/** What exporters of OpenTelemetry send, as far as it is kept. */
export type ReadExport = {
  entries: SentEntry[];
  /** Records that do not say which of ZenML's logs they are of. */
  unknown: number;
};

type Values = Readonly<Record<string, unknown>>;

/** Longer messages are several entries, as in files of ZenML's clients. */
const MAX_MESSAGE = 64 * 1024;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * OTLP over HTTP in JSON (https://opentelemetry.io/docs/specs/otlp/#otlphttp), with names as the specification spells
 * them, or as ZenML's client does (`resource_logs`). Undefined for what is neither. Pure.
 */
export function readOtlpLogs(body: unknown, now: Micros): ReadExport | undefined {
  if (!isValues(body)) return undefined;
  const read: ReadExport = { entries: [], unknown: 0 };
  for (const resource of listIn(body, "resource_logs")) {
    for (const scope of listIn(resource, "scope_logs")) {
      for (const record of listIn(scope, "log_records")) readRecord(record, now, read);
    }
  }
  return read;
}

function readRecord(record: Values, now: Micros, read: ReadExport): void {
  const attributes = attributesOf(record);
  const logId = attributes.get("zenml.log.id");
  if (typeof logId !== "string" || !UUID.test(logId)) {
    read.unknown += 1;
    return;
  }
  const message = messageOf(record, attributes);
  if (message === "") return;
  const text = (...names: string[]): string | null => {
    const found = names.map((name) => attributes.get(name)).find((value) => typeof value === "string");
    return typeof found === "string" ? found : null;
  };
  const line = attributes.get("code.lineno") ?? attributes.get("code.line.number");
  const parts = partsOf(message);
  // The same whenever the same is sent again.
  const id = parts.length > 1 ? { id: idOf(logId, message, String(valueIn(record, "time_unix_nano"))) } : {};
  parts.forEach((part, at) => {
    read.entries.push({
      logId: logId.toLowerCase(),
      entry: {
        message: part,
        name: text("logger.name"),
        level: levelOf(record),
        timestamp: `${microsToIso(timeOf(record) ?? now)}Z`,
        module: text("code.function", "code.function.name"),
        filename: text("code.filepath", "code.file.path"),
        lineno: Number.isSafeInteger(line) ? (line as number) : null,
        chunk_index: at,
        total_chunks: parts.length,
        ...id,
      },
    });
  });
}

function messageOf(record: Values, attributes: ReadonlyMap<string, unknown>): string {
  const body = valueOf(valueIn(record, "body"));
  const said =
    body === undefined || body === null ? "" : typeof body === "string" ? body : JSON.stringify(body);
  const [message, type, trace] = ["message", "type", "stacktrace"].map((name) =>
    attributes.get(`exception.${name}`),
  );
  const thrown = message === undefined ? "" : `\n${String(type)}: ${String(message)}\n${String(trace ?? "")}`;
  return stripVTControlCharacters(said + thrown).trimEnd();
}

function idOf(...parts: string[]): string {
  const hex = createHash("sha256").update(parts.join("\n")).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function partsOf(message: string): string[] {
  const parts: string[] = [];
  for (let from = 0; from < message.length;) {
    let to = Math.min(from + MAX_MESSAGE, message.length);
    // Not within what is written as a pair.
    if (/[\uD800-\uDBFF]/.test(message.charAt(to - 1)) && to < message.length) to -= 1;
    parts.push(message.slice(from, to));
    from = to;
  }
  return parts;
}

const namedLevels: Readonly<Record<string, number>> = {
  TRACE: 10,
  DEBUG: 10,
  INFO: 20,
  INFORMATION: 20,
  WARN: 30,
  WARNING: 30,
  ERROR: 40,
  CRITICAL: 50,
  FATAL: 50,
  EMERGENCY: 50,
};

function levelOf(record: Values): number | null {
  const name = valueIn(record, "severity_text");
  if (typeof name === "string" && name !== "") {
    const key = name.toUpperCase();
    return Object.hasOwn(namedLevels, key) ? (namedLevels[key] ?? 20) : 20;
  }
  const number = Number(valueIn(record, "severity_number"));
  if (!(number >= 1 && number <= 24)) return null;
  return number <= 8 ? 10 : 20 + 10 * Math.floor((number - 9) / 4);
}

/** Nanoseconds, as a number or as the text of one. */
function timeOf(record: Values): Micros | undefined {
  for (const name of ["time_unix_nano", "observed_time_unix_nano"]) {
    const value = valueIn(record, name);
    const nanos = typeof value === "string" || typeof value === "number" ? Number(value) : 0;
    if (nanos > 0 && nanos < MAX_NANOS) return Math.floor(nanos / 1000);
  }
  return undefined;
}

/** Of the year 2255, until which microseconds are exact. */
const MAX_NANOS = 9e18;

function attributesOf(record: Values): Map<string, unknown> {
  const found = new Map<string, unknown>();
  for (const { key, value } of listIn(record, "attributes")) {
    if (typeof key === "string") found.set(key, valueOf(value));
  }
  return found;
}

/** What an `AnyValue` holds; lists and objects as they are written. */
function valueOf(value: unknown): unknown {
  if (!isValues(value)) return undefined;
  const [entry] = Object.entries(value);
  if (entry === undefined) return undefined;
  const [kind, held] = entry;
  const isInteger = kind === "int_value" || kind === "intValue";
  return isInteger && typeof held === "string" ? Number(held) : held;
}

const isValues = (value: unknown): value is Values =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Of a name with underscores, which may be spelled with humps. */
const valueIn = (values: Values, name: string): unknown =>
  values[name] ?? values[name.replaceAll(/_(\w)/g, (_all, letter: string) => letter.toUpperCase())];

function listIn(values: Values, name: string): Values[] {
  const found = valueIn(values, name);
  return Array.isArray(found) ? found.filter(isValues) : [];
}
