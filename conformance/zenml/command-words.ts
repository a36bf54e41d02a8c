// How commands are written down.
import type { Command } from "./commands.ts";

export type { Command };
export type More = Omit<Command, "args">;

/** Words are parted by blanks; a part in quotes is one word. */
export const run = (line: string, more: More = {}): Command => ({
  args: [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? ""),
  ...more,
});
export const says = (line: string, text: RegExp, more: More = {}): Command =>
  run(line, { says: text, ...more });
export const refused = (line: string, text: RegExp = /./, more: More = {}): Command =>
  run(line, { code: 1, says: text, ...more });
export const old: More = { versions: ["0.84.0"] };
export const fresh: More = { versions: ["0.98.0"] };
