import { pino, type Logger } from "pino";

export type Log = Logger;

export type LogOptions = { level: string; destination?: number | undefined };

/** Structured logs, one JSON object a line, on standard error so that standard output stays for people. */
export function createLog(options: LogOptions): Log {
  return pino(
    {
      level: options.level,
      base: { name: "plinth" },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: ["req.headers.authorization", "req.headers.cookie", "password", "databaseUrl"],
    },
    pino.destination({ dest: options.destination ?? 2, sync: false }),
  );
}
