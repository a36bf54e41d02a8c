import { pino, type Logger } from "pino";

export type Log = Logger;

export type LogOptions = { level: string; format?: "json" | "text" };

const levels: Readonly<Record<number, string>> = {
  10: "trace",
  20: "debug",
  30: "info",
  40: "warn",
  50: "error",
  60: "fatal",
};

/** One line for people: time, level, message, and what else was said. */
function plainLine(line: string): string {
  const { time, level, msg, name: _name, ...rest } = JSON.parse(line) as Record<string, unknown>;
  const more = Object.keys(rest).length === 0 ? "" : ` ${JSON.stringify(rest)}`;
  return `${String(time)} ${levels[Number(level)] ?? String(level)}: ${String(msg)}${more}\n`;
}

/** Structured logs on standard error, so that standard output stays for people: one JSON object a line, or text. */
export function createLog(options: LogOptions): Log {
  return pino(
    {
      level: options.level,
      base: { name: "plinth" },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: ["req.headers.authorization", "req.headers.cookie", "password", "databaseUrl"],
    },
    options.format === "text"
      ? { write: (line: string) => void process.stderr.write(plainLine(line)) }
      : pino.destination({ dest: 2, sync: false }),
  );
}
