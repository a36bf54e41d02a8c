import { lookup } from "mime-types";
import { badRequest, PlinthError } from "../../kernel/errors.ts";

/** What browsers must show as text: MLflow's list, also names without an extension. */
const TEXT = new Set(
  (
    "txt log err cfg conf cnf cf ini properties prop hocon toml yaml yml xml json js py py3 csv tsv md rst ipynb " +
    "MLmodel MLproject"
  ).split(" "),
);

const COMPRESSED = /\.(?:gz|bz2|xz|Z|br)$/;

/** The type a file of that name is served with; unknown ones are plain bytes. */
export function contentTypeOf(name: string): string {
  const extension = /[^.]\.([^.]*)$/.exec(name)?.[1] ?? name;
  if (TEXT.has(extension)) return "text/plain";
  // `model.tar.gz` is a tar archive, as in Python's mimetypes; a bare `x.gz` is bytes.
  const plain = name.replace(COMPRESSED, "");
  const type = lookup(plain.includes(".") ? plain : "");
  return type === false ? "application/octet-stream" : type;
}

const TOKEN = /^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/;

/** `Content-Disposition: attachment` with the name, by RFC 6266: ASCII for all, UTF-8 for those who know it. */
export function attachment(name: string): string {
  const ascii = name
    .normalize("NFKD")
    .replaceAll(/[^\u0020-\u007e]/g, "")
    .trim();
  const fallback = ascii === "" ? "download" : ascii;
  const quoted = TOKEN.test(fallback) ? fallback : `"${fallback.replaceAll(/["\\]/g, "\\$&")}"`;
  if (ascii === name) return `attachment; filename=${quoted}`;
  const encoded = encodeURIComponent(name).replaceAll(/['()*]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  });
  return `attachment; filename=${quoted}; filename*=UTF-8''${encoded}`;
}

export type Range = { start: number; end: number };

/**
 * Reads a `Range` header (RFC 9110, 14.2). Undefined means the whole: no header, or several ranges,
 * which a server need not serve apart.
 */
export function readRange(header: string | undefined, size: number): Range | undefined {
  if (header === undefined) return undefined;
  const ranges = /^\s*bytes\s*=\s*(.*)$/i.exec(header)?.[1];
  if (ranges === undefined) throw badRequest("Only support bytes range");
  const list = ranges.split(",").map((text) => readOne(text.trim(), size));
  if (list.length > 1) return undefined;
  const range = list[0] as Range;
  if (range.start >= range.end) {
    throw new PlinthError(
      "range_not_satisfiable",
      `The range is outside of the artifact, which has ${size} bytes.`,
    );
  }
  return range;
}

function readOne(text: string, size: number): Range {
  const [, from = "", to = ""] = /^(\d*)\s*-\s*(\d*)$/.exec(text) ?? [];
  if (from === "" && to === "") throw badRequest("Range header: range must be requested");
  if (from === "") return { start: Math.max(0, size - Number(to)), end: size };
  const end = to === "" ? size : Math.min(size, Number(to) + 1);
  if (to !== "" && Number(to) < Number(from)) throw badRequest("Range header: start must be less than end");
  return { start: Number(from), end };
}

/** True when a condition of the client says that it has these bytes already (RFC 9110, 13.1.2 and 13.1.3). */
export function isUnchanged(
  headers: { "if-none-match"?: string | undefined; "if-modified-since"?: string | undefined },
  current: { etag: string; lastModified: Date },
): boolean {
  const known = headers["if-none-match"];
  if (known !== undefined) return known.trim() === "*" || etagsOf(known).includes(current.etag);
  const since = Date.parse(headers["if-modified-since"] ?? "");
  return !Number.isNaN(since) && Math.floor(current.lastModified.getTime() / 1000) * 1000 <= since;
}

/** True when a `Range` may be answered in part: the client's earlier bytes are of the same version. */
export function rangeApplies(
  header: string | undefined,
  current: { etag: string; lastModified: Date },
): boolean {
  if (header === undefined) return true;
  if (header.includes('"')) return header.trim() === current.etag;
  return Date.parse(header) === Math.floor(current.lastModified.getTime() / 1000) * 1000;
}

const etagsOf = (list: string): string[] => list.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
