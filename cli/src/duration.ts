import { CommandFailure, exitCodes } from "./failure.ts";

const UNIT_SECONDS: Readonly<Record<string, number>> = { d: 86_400, h: 3_600, m: 60, s: 1 };
const DURATION = /^(\d{1,9}[dhms])+$/;

/** Seconds of a duration such as `30d`, `12h` or `1d12h`. */
export function readDuration(text: string, option: string): number {
  if (!DURATION.test(text)) {
    throw new CommandFailure(
      `${option}: '${text}' is not a duration such as 30d, 12h or 1d12h30m.`,
      exitCodes.wrongCall,
    );
  }
  let seconds = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)([dhms])/g))
    seconds += Number(count) * (UNIT_SECONDS[unit ?? ""] ?? 0);
  return seconds;
}

/** Milliseconds since 1970 of `2026-01-31`, `2026-01-31T12:00:00Z`, or of so long ago: `7d`. */
export function readMoment(text: string, option: string): number {
  if (DURATION.test(text)) return Date.now() - readDuration(text, option) * 1000;
  const at = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(at)) return at;
  throw new CommandFailure(
    `${option}: '${text}' is neither a time such as 2026-01-31T12:00:00Z nor a duration such as 7d.`,
    exitCodes.wrongCall,
  );
}

export const timeText = (milliseconds: number | null): string => {
  if (milliseconds === null) return "-";
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? String(milliseconds) : `${date.toISOString().slice(0, 19)}Z`;
};
