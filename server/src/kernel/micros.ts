/** Microseconds since 1970, which a number holds exactly until the year 2255. */
export type Micros = number;

// What is shown together was mostly made within the same second.
let shownSecond = Number.NaN;
let shownText = "";

/** ISO 8601 in UTC without a zone; without a fraction where that is zero, as Python writes it. */
export function microsToIso(micros: Micros): string {
  const fraction = ((micros % 1_000_000) + 1_000_000) % 1_000_000;
  const second = micros - fraction;
  if (second !== shownSecond) {
    shownText = new Date(second / 1000).toISOString().slice(0, 19);
    shownSecond = second;
  }
  return fraction === 0 ? shownText : `${shownText}.${String(1_000_000 + fraction).slice(1)}`;
}

const ISO =
  /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,9}))?\s?(Z|[-+]\d\d:?\d\d|[-+]\d\d)?)?$/i;

/** Undefined for what is no time. Without a zone it is UTC; digits beyond microseconds are dropped. */
export function isoToMicros(text: string): Micros | undefined {
  const [, day, time = "00:00:00", fraction = "", zone = "Z"] = ISO.exec(text.trim()) ?? [];
  if (day === undefined) return undefined;
  const seconds = time.length === 5 ? `${time}:00` : time;
  const offset = /^[-+]\d\d$/.test(zone)
    ? `${zone}:00`
    : zone.replace(/^([-+]\d\d)(\d\d)$/, "$1:$2").toUpperCase();
  const milliseconds = Date.parse(`${day}T${seconds}${offset}`);
  if (Number.isNaN(milliseconds)) return undefined;
  return milliseconds * 1000 + Number(fraction.slice(0, 6).padEnd(6, "0"));
}

/** A clock in microseconds that never gives the same time twice, so that what this process makes has an order. */
export function createMicroClock(now: () => number): () => Micros {
  let last = 0;
  return () => (last = Math.max(last + 1, Math.round(now() * 1000)));
}
