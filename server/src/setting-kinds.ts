import { closest } from "fastest-levenshtein";

export type Setting<T> = {
  /** The flag without its dashes; the environment variable is derived from it. */
  flag: string;
  description: string;
  /** What stands for the value in help and documentation; none for a switch. */
  placeholder: string | undefined;
  /** The default in words, when it is not simply the value. */
  defaultText?: string;
  secret?: true;
  /** There is no such flag: the variable is the only way. */
  onlyVariable?: true;
  default: (env: Environment) => T;
  /** Throws an Error that says what a good value looks like. */
  parse: (text: string) => T;
};

export type Environment = Readonly<Record<string, string | undefined>>;

type Words = { flag: string; description: string; placeholder: string };

export function integer(words: Words, range: { default: number; min: number; max: number }): Setting<number> {
  return {
    ...words,
    default: () => range.default,
    parse: (text) => {
      const value = Number(text);
      if (/^\d{1,15}$/.test(text) && value >= range.min && value <= range.max) return value;
      throw new Error(`must be a whole number from ${range.min} to ${range.max}`);
    },
  };
}

export function text(words: Words & { secret?: true }): Setting<string | undefined> {
  return {
    ...words,
    defaultText: "none",
    default: () => undefined,
    parse: (value) => {
      if (value !== "") return value;
      throw new Error("must not be empty");
    },
  };
}

export function choice<const T extends string>(words: Words, values: readonly [T, ...T[]]): Setting<T> {
  return {
    ...words,
    default: () => values[0],
    parse: (given) => {
      const found = values.find((value) => value === given);
      if (found !== undefined) return found;
      throw new Error(`must be one of ${values.join(", ")} (did you mean '${closest(given, [...values])}'?)`);
    },
  };
}

export function toggle(words: Omit<Words, "placeholder">): Setting<boolean> {
  return {
    ...words,
    placeholder: undefined,
    default: () => false,
    parse: (given) => {
      if (["true", "1", "yes", "on"].includes(given)) return true;
      if (["false", "0", "no", "off"].includes(given)) return false;
      throw new Error("must be true or false");
    },
  };
}

export const port = (flag: string, description: string, standard: number): Setting<number> =>
  integer({ flag, description, placeholder: "port" }, { default: standard, min: 0, max: 65_535 });

/** The words of a command: separated by blanks, or as a JSON list where one holds a blank. */
export function parseCommand(value: string): readonly string[] {
  const words = value.trimStart().startsWith("[")
    ? parseList(value)
    : value.split(/\s+/).filter((word) => word !== "");
  if (words.length > 0 && words[0] !== "") return words;
  throw new Error("must be a command, as words or as a JSON list of words");
}

function parseList(value: string): string[] {
  try {
    const list: unknown = JSON.parse(value);
    return Array.isArray(list) && list.every((word) => typeof word === "string") ? list : [];
  } catch {
    return [];
  }
}
