import type { DocumentResource, ManifestResource } from "../resources/resource.ts";
import { yamlScalar } from "./yaml-scalar.ts";

/** Comments for parts of a document, by path: `spec.replicas`, `spec.containers[0].image`, `metadata.annotations["a.b/c"]`. */
type Notes = Readonly<Record<string, string>>;

/** Comments are wrapped here; values never are: a folded command or token is hard to search for. */
const COMMENT_WIDTH = 110;

/** The documents of one file as text, in the order given, each after the first behind `---`. */
export function printYaml(resources: readonly (ManifestResource | DocumentResource)[]): string {
  return resources
    .map((resource) => {
      const above = resource.comment === undefined ? "" : comment(resource.comment, "");
      const value = resource.kind === "manifest" ? inKubernetesOrder(resource.object) : resource.value;
      return above + printYamlValue(value, resource.notes);
    })
    .join("---\n");
}

/** One value as a YAML document with a line feed at its end. Keys whose value is undefined are left out. */
export function printYamlValue(value: unknown, notes: Notes = {}): string {
  const pending = new Map(Object.entries(notes).map(([path, text]) => [canonicalPath(path), text]));
  const text = isCollection(value)
    ? collection({ value, indent: "", path: "", notes: pending })
    : `${yamlScalar(value, 2)}\n`;
  const unused = [...pending.keys()];
  if (unused.length > 0)
    throw new Error(`A note was given for ${unused.join(", ")}, but the document has nothing there.`);
  return text;
}

type Part = { value: Collection; indent: string; path: string; notes: Map<string, string> };
type Collection = readonly unknown[] | Readonly<Record<string, unknown>>;

function collection(part: Part): string {
  return Array.isArray(part.value) ? sequence(part, part.value) : mapping(part, part.value as Fields);
}

type Fields = Readonly<Record<string, unknown>>;

function mapping({ indent, path, notes }: Part, fields: Fields): string {
  let text = "";
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const place = step(path, key);
    text += noteAt({ notes, indent }, place);
    text += `${indent}${yamlScalar(key, undefined)}:`;
    text += isCollection(value)
      ? `\n${collection({ value, indent: `${indent}  `, path: place, notes })}`
      : ` ${yamlScalar(value, indent.length + 2)}\n`;
  }
  return text;
}

/** Items stand two columns right of their key: what the linters and formatters of YAML in use leave alone. */
function sequence({ indent, path, notes }: Part, items: readonly unknown[]): string {
  let text = "";
  for (const [at, value] of items.entries()) {
    const place = step(path, String(at));
    text += noteAt({ notes, indent }, place);
    if (!isCollection(value)) {
      text += `${indent}- ${yamlScalar(value, indent.length + 2)}\n`;
      continue;
    }
    const inner = collection({ value, indent: `${indent}  `, path: place, notes });
    // A note on the first key of an item would tear the key from its dash: it goes above the dash.
    const comments = /^(?: *#.*\n)*/.exec(inner)?.[0] ?? "";
    text += comments.replaceAll(/^ +/gm, indent);
    text += `${indent}- ${inner.slice(comments.length + indent.length + 2)}`;
  }
  return text;
}

function noteAt({ notes, indent }: { notes: Map<string, string>; indent: string }, place: string): string {
  const note = notes.get(place);
  if (note === undefined) return "";
  notes.delete(place);
  return comment(note, indent);
}

function comment(text: string, indent: string): string {
  const width = Math.max(40, COMMENT_WIDTH - indent.length - 2);
  return text
    .trimEnd()
    .split(/\r\n|\r|\n/)
    .flatMap((line) => wrapped(line, width))
    .map((line) => `${indent}${`# ${line}`.trimEnd()}\n`)
    .join("");
}

function wrapped(line: string, width: number): string[] {
  const lines = [""];
  for (const word of line.split(" ")) {
    const last = lines[lines.length - 1] ?? "";
    if (last !== "" && last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return lines;
}

/** Empty collections are written as scalars: `{}` and `[]`. */
function isCollection(value: unknown): value is Collection {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.length > 0;
  return Object.values(value).some((field) => field !== undefined);
}

const step = (path: string, key: string): string => (path === "" ? key : `${path}\u0000${key}`);

/** Both spellings of an index, and quoted keys, as one form. */
function canonicalPath(path: string): string {
  const steps = [...path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g)];
  return steps.map((match) => match[1] ?? match[2] ?? match[3] ?? "").join("\u0000");
}

const HEAD = ["apiVersion", "kind", "metadata"];
const METADATA_HEAD = ["name", "generateName", "namespace", "labels", "annotations"];

function inKubernetesOrder(object: Fields): Fields {
  const ordered = withFirst(object, HEAD);
  const { metadata } = object;
  if (typeof metadata !== "object" || metadata === null || Array.isArray(metadata)) return ordered;
  return { ...ordered, metadata: withFirst(metadata as Fields, METADATA_HEAD) };
}

function withFirst(object: Fields, head: readonly string[]): Fields {
  const first = head.filter((key) => key in object);
  const rest = Object.keys(object).filter((key) => !head.includes(key));
  return Object.fromEntries([...first, ...rest].map((key) => [key, object[key]]));
}
