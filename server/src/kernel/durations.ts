/** Lengths of time in ISO 8601, as Python's models read and write them: a year is 365 days, a month 30. */

const SECONDS = {
  year: 365 * 86_400,
  month: 30 * 86_400,
  week: 7 * 86_400,
  day: 86_400,
  hour: 3600,
  minute: 60,
} as const;

const ISO =
  /^([-+]?)P(?=[\dT])(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:[.,]\d{1,6}\d*)?)S)?)?$/i;
const CLOCK = /^([-+]?)(?:(\d+)\s*d(?:ays?)?,?\s*)?(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?$/i;

/** Seconds, to the microsecond; undefined for what is no duration. A number is seconds already. */
export function parseDuration(given: unknown): number | undefined {
  if (typeof given === "number") return Number.isFinite(given) ? rounded(given) : undefined;
  if (typeof given !== "string") return undefined;
  const text = given.trim();
  const iso = ISO.exec(text);
  if (iso !== null) {
    const [, sign, years, months, weeks, days, hours, minutes, seconds] = iso;
    const total =
      Number(years ?? 0) * SECONDS.year +
      Number(months ?? 0) * SECONDS.month +
      Number(weeks ?? 0) * SECONDS.week +
      Number(days ?? 0) * SECONDS.day +
      Number(hours ?? 0) * SECONDS.hour +
      Number(minutes ?? 0) * SECONDS.minute +
      Number((seconds ?? "0").replace(",", "."));
    return signed(sign, total);
  }
  const clock = CLOCK.exec(text);
  if (clock === null) return undefined;
  const [, sign, days, hours, minutes, seconds] = clock;
  const total =
    Number(days ?? 0) * SECONDS.day +
    Number(hours) * SECONDS.hour +
    Number(minutes) * SECONDS.minute +
    Number(seconds ?? 0);
  return signed(sign, total);
}

const signed = (sign: string | undefined, seconds: number): number =>
  rounded(sign === "-" ? -seconds : seconds);

const rounded = (seconds: number): number => Math.round(seconds * 1e6) / 1e6;

/** `P1DT2H3M4.5S` */
export function durationText(seconds: number): string {
  const micros = Math.round(Math.abs(seconds) * 1e6);
  const fraction = micros % 1_000_000;
  let rest = (micros - fraction) / 1_000_000;
  const take = (unit: number): number => {
    const count = Math.floor(rest / unit);
    rest -= count * unit;
    return count;
  };
  const part = (count: number, letter: string): string => (count === 0 ? "" : `${count}${letter}`);
  const date = part(take(SECONDS.year), "Y") + part(take(SECONDS.day), "D");
  const clock = part(take(SECONDS.hour), "H") + part(take(SECONDS.minute), "M");
  const digits = fraction === 0 ? "" : `.${String(fraction).padStart(6, "0").replace(/0+$/, "")}`;
  const last = rest === 0 && fraction === 0 ? "" : `${rest}${digits}S`;
  const text = clock + last === "" ? date : `${date}T${clock}${last}`;
  return `${seconds < 0 && micros > 0 ? "-" : ""}P${text === "" ? "T0S" : text}`;
}
