import { invalidParameter } from "../../kernel/errors.ts";

/** When something happens, in UTC: sets of numbers, as five fields of a crontab name them, and a sixth for seconds. */
export type Cron = {
  readonly seconds: ReadonlySet<number>;
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly isLastDay: boolean;
  readonly months: ReadonlySet<number>;
  /** From 0, Sunday. */
  readonly weekdays: ReadonlySet<number>;
  /** `weekday * 10 + n`: the nth of the month. */
  readonly nthWeekdays: ReadonlySet<number>;
  /** With both days and weekdays given, one of the two is enough. */
  readonly isEitherDay: boolean;
};

const aliases: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

const monthNames = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const weekdayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

type Range = { name: string; low: number; high: number; words?: readonly string[]; wraps?: true };

const ranges = [
  { name: "minute", low: 0, high: 59 },
  { name: "hour", low: 0, high: 23 },
  { name: "day of the month", low: 1, high: 31 },
  { name: "month", low: 1, high: 12, words: monthNames, wraps: true },
  // 7 is Sunday as well.
  { name: "day of the week", low: 0, high: 7, words: weekdayNames, wraps: true },
  { name: "second", low: 0, high: 59 },
] as const satisfies readonly Range[];

/** Throws `invalid_parameter`. */
export function parseCron(text: string): Cron {
  const plain = text.trim().toLowerCase();
  const parts = (aliases[plain] ?? plain).split(/\s+/);
  const [minute, hour, day, month, weekday, second = "0"] = parts;
  if (parts.length > 6 || minute === undefined || hour === undefined)
    throw wrong(text, "five fields are expected, or six with seconds");
  if (day === undefined || month === undefined || weekday === undefined)
    throw wrong(text, "a field is missing");
  const read = (field: string, range: Range): Set<number> => readField(field, range, text);
  const dayEntries = day.split(",");
  const weekdayEntries = weekday.split(",");
  const isNth = (entry: string): boolean => entry.includes("#");
  const days = dayEntries.filter((entry) => entry !== "l").join(",");
  const weekdays = weekdayEntries.filter((entry) => !isNth(entry)).join(",");
  return {
    seconds: read(second, ranges[5]),
    minutes: read(minute, ranges[0]),
    hours: read(hour, ranges[1]),
    days: days === "" ? new Set() : read(days, ranges[2]),
    isLastDay: dayEntries.includes("l"),
    months: read(month, ranges[3]),
    weekdays: new Set([...(weekdays === "" ? [] : read(weekdays, ranges[4]))].map((one) => one % 7)),
    nthWeekdays: new Set(weekdayEntries.filter(isNth).map((entry) => readNth(entry, text))),
    isEitherDay: !isAny(day) && !isAny(weekday),
  };
}

const isAny = (field: string): boolean => field.startsWith("*") || field === "?";

function readField(field: string, range: Range, text: string): Set<number> {
  const found = new Set<number>();
  for (const entry of field.split(",")) {
    const [, from, to, step] = /^(\*|\?|[0-9a-z]+)(?:-([0-9a-z]+))?(?:\/(\d+))?$/.exec(entry) ?? [];
    if (from === undefined) throw wrong(text, `'${entry}' is no ${range.name}`);
    const isOpen = from === "*" || from === "?";
    const first = isOpen ? range.low : readNumber(from, range, text);
    const alone = step === undefined ? first : range.high;
    const last = isOpen ? range.high : to === undefined ? alone : readNumber(to, range, text);
    const every = step === undefined ? 1 : Number(step);
    if (every < 1) throw wrong(text, `'${entry}' has no step of 1 or more`);
    if (last < first && range.wraps === undefined) throw wrong(text, `'${entry}' ends before it begins`);
    const size = range.high - range.low + (range.low === 0 && range.high === 7 ? 0 : 1);
    const end = last < first ? last + size : last;
    for (let at = first; at <= end; at += every) found.add(at > range.high ? at - size : at);
  }
  return found;
}

function readNumber(word: string, { name, low, high, words }: Range, text: string): number {
  const named = words?.indexOf(word.slice(0, 3)) ?? -1;
  const value = /^\d{1,4}$/.test(word) ? Number(word) : named === -1 ? Number.NaN : named + low;
  if (value >= low && value <= high) return value;
  throw wrong(text, `'${word}' is no ${name}`);
}

function readNth(entry: string, text: string): number {
  const [day = "", nth = ""] = entry.split("#");
  if (!/^[1-5]$/.test(nth)) throw wrong(text, `'${entry}' is no day of the week`);
  return (readNumber(day, ranges[4], text) % 7) * 10 + Number(nth);
}

const wrong = (text: string, why: string): Error =>
  invalidParameter(`[${text}] is not a valid cron expression: ${why}.`);

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** A 29th of February that is a Monday comes once in 28 years, and once in 40 across a century. */
const MAX_DAYS = 366 * 41;

/** The first time after `after`, in milliseconds since 1970; undefined where there is none, as on a 31st of April. */
export function nextOccurrence(cron: Cron, after: number): number | undefined {
  const from = Math.floor(after / SECOND_MS) * SECOND_MS + SECOND_MS;
  const seconds = [...cron.seconds].toSorted((a, b) => a - b).map((second) => second * SECOND_MS);
  let day = Math.floor(from / DAY_MS) * DAY_MS;
  for (let count = 0; count < MAX_DAYS; count += 1, day += DAY_MS) {
    if (!isOnDay(cron, new Date(day))) continue;
    const start = Math.max(from, day);
    for (let hour = Math.floor((start - day) / HOUR_MS); hour < 24; hour += 1) {
      if (!cron.hours.has(hour)) continue;
      const begin = day + hour * HOUR_MS;
      for (let minute = 0; minute < 60; minute += 1) {
        if (!cron.minutes.has(minute)) continue;
        const at = begin + minute * MINUTE_MS;
        const second = seconds.find((one) => at + one >= start);
        if (second !== undefined) return at + second;
      }
    }
  }
  return undefined;
}

function isOnDay(cron: Cron, date: Date): boolean {
  if (!cron.months.has(date.getUTCMonth() + 1)) return false;
  const day = date.getUTCDate();
  const weekday = date.getUTCDay();
  const isLast = new Date(date.getTime() + DAY_MS).getUTCDate() === 1;
  const fitsDay = cron.days.has(day) || (cron.isLastDay && isLast);
  const fitsWeekday = cron.weekdays.has(weekday) || cron.nthWeekdays.has(weekday * 10 + Math.ceil(day / 7));
  return cron.isEitherDay ? fitsDay || fitsWeekday : fitsDay && fitsWeekday;
}
