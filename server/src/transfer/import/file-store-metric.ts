import { read, readSync } from "node:fs";
import { promisify } from "node:util";
import { decodeText, Unreadable, type OpenFile } from "./local-folder.ts";
import type { Int } from "./source.ts";

/** One line of a metric file. What follows the step is the dataset's name and digest, and in a model's file the run. */
export type MetricLine = { timestamp: Int; value: number; step: Int; rest: string };

export type BrokenLines = { count: number; first: { number: number; text: string; why: string } };

const CHUNK = 256 * 1024;
/** No line that MLflow writes is longer: three numbers, a run, a dataset name of up to 500 characters. */
const MAX_LINE = 64 * 1024;

/** What a file may grow by while it is read. */
const SPARE = 4096;

const readFd = promisify(read);

/**
 * The lines of a metric file, in constant memory, some thousand at a time. Lines that are none are
 * counted, the first is told; a last line without its end is one that was being written.
 */
export async function* readMetricLines(
  file: OpenFile,
  broken: { lines: BrokenLines | undefined },
): AsyncGenerator<MetricLine[]> {
  // Most files have a few hundred lines: read at once, without waking another thread.
  const isSmall = file.stats.size < CHUNK;
  const chunk = isSmall ? file.stats.size + SPARE : CHUNK;
  const maxLine = isSmall ? chunk : MAX_LINE;
  const buffer = Buffer.allocUnsafe(chunk + maxLine);
  let kept = 0;
  let position = 0;
  let number = 0;
  const report = (text: string, why: string): void => {
    broken.lines ??= { count: 0, first: { number, text: text.slice(0, 80), why } };
    broken.lines.count += 1;
  };
  for (;;) {
    const bytesRead = isSmall
      ? readSync(file.fd, buffer, kept, chunk, position)
      : (await readFd(file.fd, buffer, kept, chunk, position)).bytesRead;
    position += bytesRead;
    const end = kept + bytesRead;
    if (bytesRead === 0) {
      number += 1;
      if (end > 0) report(buffer.toString("utf8", 0, Math.min(end, 80)), "it is not finished");
      return;
    }
    const wholeTo = buffer.lastIndexOf(10, end - 1) + 1;
    const lines: MetricLine[] = [];
    for (const line of linesOf(buffer.subarray(0, wholeTo), file.path)) {
      number += 1;
      const parsed = parseMetricLine(line);
      if (typeof parsed === "string") report(line, parsed);
      else lines.push(parsed);
    }
    if (lines.length > 0) yield lines;
    kept = end - wholeTo;
    if (kept > maxLine) {
      throw new Unreadable(file.path, `line ${number + 1} is longer than ${maxLine} bytes`);
    }
    buffer.copyWithin(0, wholeTo, end);
  }
}

function linesOf(bytes: Buffer, path: string): string[] {
  const lines = decodeText(bytes, path).split("\n");
  // What follows the last line break.
  lines.pop();
  return lines;
}

const LINE = /^(-?\d+) (\S+)(?: (-?\d+)(?: (.*))?)?$/;

/** A line, or why it is none. */
export function parseMetricLine(line: string): MetricLine | string {
  const match = LINE.exec(line.trim());
  if (match === null) return "it is not '<timestamp> <value> <step>'";
  const [, timestamp = "", shown = "", step = "0", rest = ""] = match;
  const value = readFloat(shown);
  if (value === undefined) return `'${shown.slice(0, 40)}' is not a number`;
  const at = readInteger(timestamp);
  const of = readInteger(step);
  if (at === undefined || of === undefined) return "a number is larger than 64 bits hold";
  return { timestamp: at, value, step: of, rest };
}

const FLOAT = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/;

/** As Python's `repr` writes them. */
function readFloat(text: string): number | undefined {
  if (FLOAT.test(text)) return Number(text);
  const word = text.toLowerCase();
  if (word === "nan" || word === "-nan") return Number.NaN;
  if (word === "inf" || word === "infinity") return Number.POSITIVE_INFINITY;
  if (word === "-inf" || word === "-infinity") return Number.NEGATIVE_INFINITY;
  return undefined;
}

const MAX_INT64 = 2n ** 63n - 1n;

function readInteger(text: string): Int | undefined {
  const value = Number(text);
  if (Number.isSafeInteger(value)) return value;
  const exact = BigInt(text);
  return exact > MAX_INT64 || exact < -MAX_INT64 - 1n ? undefined : exact;
}
