import type { Cell, Column } from "../../kernel/copy-out.ts";
import type { OutputFile } from "./output-file.ts";
import type { TableFile } from "./table-file.ts";

const FLUSH_CHARACTERS = 256 * 1024;

/**
 * One JSON object a line. Integers have all their digits, timestamps are milliseconds since 1970, and what JSON
 * cannot say of a number is "NaN", "Infinity" or "-Infinity", as in MLflow's own API. `sparse` leaves out what is
 * missing instead of writing null.
 */
export function jsonLinesFile(
  output: OutputFile,
  columns: readonly Column[],
  { sparse }: { sparse: boolean },
): TableFile {
  const names = columns.map((column) => `${JSON.stringify(column.name)}:`);
  let text = "";
  let rows = 0;
  const flush = async (): Promise<void> => {
    const bytes = Buffer.from(text, "utf8");
    text = "";
    await output.write(bytes);
  };
  return {
    columns,
    async append(batch) {
      const count = batch[0]?.length ?? 0;
      for (let row = 0; row < count; row += 1) {
        let line = "";
        for (let column = 0; column < names.length; column += 1) {
          const cell = batch[column]?.[row] ?? null;
          if (cell === null && sparse) continue;
          line += (line === "" ? "{" : ",") + (names[column] as string) + cellJson(cell);
        }
        text += `${line}}\n`;
        if (text.length >= FLUSH_CHARACTERS) await flush();
      }
      rows += count;
    },
    async finish() {
      await flush();
      return { rows, ...(await output.finish()), outOfRange: 0 };
    },
    abort: () => output.abort(),
  };
}

function cellJson(cell: Cell): string {
  if (typeof cell === "string") return JSON.stringify(cell);
  if (typeof cell !== "number") return String(cell);
  if (!Number.isFinite(cell)) return `"${cell}"`;
  // Always a fraction or an exponent, so that who guesses types guesses right; and String(-0) would be 0.
  if (Object.is(cell, -0)) return "-0.0";
  const text = String(cell);
  return Number.isInteger(cell) && !text.includes("e") ? `${text}.0` : text;
}
