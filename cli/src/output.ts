export type Output = {
  json: boolean;
  /** Prints the answer: `value` as JSON with --json, else `lines` for people. */
  answer(value: unknown, lines: readonly string[]): void;
  /** Says what is going on, on standard error, so that the answer can be piped. Silent with --json. */
  progress(line: string): void;
};

export function createOutput(json: boolean): Output {
  return {
    json,
    answer(value, lines) {
      process.stdout.write(
        json ? `${JSON.stringify(value, null, 2)}\n` : lines.map((line) => `${line}\n`).join(""),
      );
    },
    progress(line) {
      if (!json) process.stderr.write(`${line}\n`);
    },
  };
}

/** Columns as wide as their widest cell; the last one is not padded. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
