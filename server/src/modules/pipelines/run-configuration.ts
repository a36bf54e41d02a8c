import type { Micros } from "../../kernel/micros.ts";
import type { ConfiguredModel } from "./model-versions.ts";
import { invalidParameter, notFound } from "../../kernel/errors.ts";
import type { GivenTag } from "./tag-links.ts";

/** What a run's rules need of the configuration of its pipeline. */
export type RunConfiguration = {
  executionMode: string;
  enableHeartbeat: boolean;
  substitutions: Readonly<Record<string, string>>;
  model: ConfiguredModel | null;
  /** Tags that what the run makes is given, too. */
  cascadingTags: readonly GivenTag[];
  /** Inputs of a step that are given other artifacts when a run is repeated. */
  overriddenInputs(invocation: string, stepName: string): ReadonlySet<string>;
};

type Overrides = Record<string, Record<string, string>>;

type Stored = {
  execution_mode?: string | null;
  enable_heartbeat?: boolean | null;
  substitutions?: Record<string, string> | null;
  model?: ConfiguredModel | null;
  tags?: readonly (string | (Exclude<GivenTag, string> & { cascade?: boolean | null }))[] | null;
  step_input_overrides?: Overrides | null;
  step_default_input_overrides?: Overrides | null;
};

export const CONTINUE_ON_FAILURE = "continue_on_failure";

export function readRunConfiguration(text: string): RunConfiguration {
  const stored = JSON.parse(text) as Stored;
  const tags = stored.tags ?? [];
  return {
    executionMode: stored.execution_mode ?? CONTINUE_ON_FAILURE,
    enableHeartbeat: stored.enable_heartbeat ?? true,
    substitutions: stored.substitutions ?? {},
    model: stored.model ?? null,
    cascadingTags: tags.filter((tag) => typeof tag !== "string" && tag.cascade === true),
    overriddenInputs: (invocation, stepName) =>
      new Set([
        ...Object.keys(stored.step_default_input_overrides?.[stepName] ?? {}),
        ...Object.keys(stored.step_input_overrides?.[invocation] ?? {}),
      ]),
  };
}

/** `date` and `time` of a run's start besides what the configuration says itself. */
export function withTimes(
  substitutions: Readonly<Record<string, string>>,
  start: Micros,
): Record<string, string> {
  const fraction = ((start % 1_000_000) + 1_000_000) % 1_000_000;
  const at = new Date((start - fraction) / 1000).toISOString();
  const times = {
    date: at.slice(0, 10).replaceAll("-", "_"),
    time: `${at.slice(11, 19).replaceAll(":", "_")}_${String(fraction).padStart(6, "0")}`,
  };
  return { ...substitutions, ...times, ...substitutions };
}

/** Python's `str.format` as far as names of models and outputs need it: `{date}`, and `{{` for a brace. */
export function formatTemplate(template: string, substitutions: Readonly<Record<string, string>>): string {
  if (!/[{}]/.test(template)) return template;
  const formatted = template.replace(/\{\{|\}\}|\{([^{}]*)\}|[{}]/g, (part, name: string | undefined) => {
    if (part === "{{") return "{";
    if (part === "}}") return "}";
    if (name === undefined) {
      throw invalidParameter(`Could not format the name template \`${template}\`: a brace stands alone.`);
    }
    const value = Object.hasOwn(substitutions, name) ? substitutions[name] : undefined;
    if (value === undefined) {
      throw notFound(`Could not format the name template \`${template}\`. Missing key: ${name}`);
    }
    return value;
  });
  if (formatted === "") throw invalidParameter(`Formatted name template \`${template}\` is empty.`);
  return formatted;
}

/**
 * The configuration of a step with these in place of its own member `substitutions`, without reading the whole of it:
 * the text is kilobytes, and of every step of a list. Configurations are kept whole, so the member is there.
 */
export function spliceSubstitutions(config: string, substitutions: string): string {
  const found = findMember(config);
  if (found === undefined) return config;
  return config.slice(0, found.from) + substitutions + config.slice(found.to);
}

const MEMBER = '"substitutions":';

type Place = { from: number; to: number };

/** A key of this name may be in parameters, too: then each is looked at. */
function findMember(config: string): Place | undefined {
  const first = config.indexOf(MEMBER);
  if (first === -1) return undefined;
  if (config.indexOf(MEMBER, first + 1) === -1) return placeAt(config, first);
  return scan(config);
}

const placeAt = (config: string, at: number): Place => {
  const from = at + MEMBER.length;
  return { from, to: endOfValue(config, from) };
};

/** The member of the outermost object. */
function scan(config: string): Place | undefined {
  let depth = 0;
  for (let at = 0; at < config.length; at += 1) {
    const char = config.charAt(at);
    if (char === '"') {
      if (depth === 1 && config.startsWith(MEMBER, at)) return placeAt(config, at);
      at = endOfString(config, at);
    } else if (char === "{" || char === "[") depth += 1;
    else if (char === "}" || char === "]") depth -= 1;
  }
  return undefined;
}

/** Where the text that begins at `at` ends: at its closing quote. */
function endOfString(text: string, at: number): number {
  for (let end = text.indexOf('"', at + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charAt(end - 1 - slashes) === "\\") slashes += 1;
    if (slashes % 2 === 0) return end;
  }
  return text.length;
}

function endOfValue(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === '"') at = endOfString(text, at);
    else if (char === "{" || char === "[") depth += 1;
    else if (char === "}" || char === "]") {
      depth -= 1;
      if (depth === 0) return at + 1;
      if (depth < 0) return at;
    } else if (char === "," && depth === 0) return at;
  }
  return text.length;
}
