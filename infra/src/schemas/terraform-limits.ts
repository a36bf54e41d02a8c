import type { ValueLimits } from "./terraform-providers.ts";

const formats: Readonly<Record<string, { pattern: RegExp; meaning: string }>> = {
  uuid: { pattern: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, meaning: "a UUID" },
  "date-time": {
    pattern: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/,
    meaning: "a date and time as in RFC 3339",
  },
  "HH:mm": { pattern: /^(?:[01]\d|2[0-3]):[0-5]\d$/, meaning: "a time as HH:mm" },
  cidr: {
    pattern: /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f:]*:[0-9a-f:.]*)\/\d{1,3}$/i,
    meaning: "a range as in 10.0.0.0/16",
  },
  "go-duration": {
    pattern: /^[+-]?(?:0|(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h))+$/,
    meaning: "a duration as in 300s or 1h30m",
  },
  "iam-member": {
    pattern:
      /^(?:allUsers|allAuthenticatedUsers|(?:user|serviceAccount|group|domain|deleted|principal|principalSet|projectOwner|projectEditor|projectViewer|iam\.[\w.]+):.+)$/s,
    meaning: "a member with its prefix, as in serviceAccount:name@project.iam.gserviceaccount.com",
  },
};

/** What a known value breaks of what the provider admits, in words; undefined when nothing. */
export function limitBroken(value: string | number | boolean, limits: ValueLimits): string | undefined {
  return (
    textBroken(String(value), limits) ?? (typeof value === "number" ? numberBroken(value, limits) : undefined)
  );
}

function textBroken(text: string, limits: ValueLimits): string | undefined {
  const shown = JSON.stringify(text);
  if (limits.enum !== undefined && !limits.enum.includes(text))
    return `${shown} is not one of ${limits.enum.map((one) => JSON.stringify(one)).join(", ")}.`;
  if (limits.non_empty && text.trim() === "") return "an empty text is refused.";
  if (limits.no_whitespace && /\s/.test(text)) return `${shown} must not contain white space.`;
  const [least = limits.length_min ?? 0, most = Infinity] = limits.length ?? [];
  if (text.length < least || text.length > most)
    return `${shown} has ${text.length} characters, ${least === 0 ? "" : `at least ${least}`}${least > 0 && most < Infinity ? " and " : ""}${most === Infinity ? "" : `at most ${most}`} are allowed.`;
  const format =
    limits.format !== undefined && Object.hasOwn(formats, limits.format) ? formats[limits.format] : undefined;
  if (format !== undefined && !format.pattern.test(text)) return `${shown} is not ${format.meaning}.`;
  const pattern = limits.pattern === undefined ? undefined : goPattern(limits.pattern);
  if (pattern !== undefined && !pattern.test(text)) return `${shown} does not match ${limits.pattern}.`;
  return undefined;
}

function numberBroken(value: number, limits: ValueLimits): string | undefined {
  if (limits.int && !Number.isInteger(value)) return `${value} is not a whole number.`;
  const [least = limits.minimum ?? -Infinity, most = limits.maximum ?? Infinity] = limits.range ?? [];
  if (value < least || value > most)
    return `${value} is ${value < least ? `less than ${least}` : `more than ${most}`}, which the provider refuses.`;
  return undefined;
}

/** Patterns are Go's; undefined for one that JavaScript reads otherwise or not at all. */
function goPattern(pattern: string): RegExp | undefined {
  if (/\(\?[^:]|\\[AzZQpP]|\[\[:/.test(pattern)) return undefined;
  try {
    return new RegExp(pattern, "u");
  } catch {
    return undefined;
  }
}
