import { nestedBlock, shapeOf, type BlockShape } from "../hcl/block-shapes.ts";
import { Call, Expression } from "../resources/resource.ts";
import type {
  TerraformBlock,
  TerraformBody,
  TerraformResource,
  TerraformValue,
} from "../resources/resource.ts";
import { commentText, entriesText, isList, valueText, type Entry } from "./hcl-values.ts";

/** The text of one Terraform file, as `terraform fmt` leaves it. */
export function printTerraform(resources: readonly TerraformResource[]): string {
  return resources.map(resourceText).join("\n");
}

function resourceText({ block, comment, notes = {} }: TerraformResource): string {
  const above = comment === undefined ? "" : `${commentText(comment, "")}\n`;
  const shape = shapeOf(block.type, block.labels[0]);
  return `${above}${blockText(block, { shape, indent: "", path: "", notes })}\n`;
}

type Place = { shape: BlockShape; indent: string; path: string; notes: Readonly<Record<string, string>> };

function blockText({ type, labels, body }: TerraformBlock, place: Place): string {
  const header = [type, ...labels.map((label) => JSON.stringify(label))].join(" ");
  const inside = bodyText(body, place);
  return inside === ""
    ? `${place.indent}${header} {}`
    : `${place.indent}${header} {\n${inside}\n${place.indent}}`;
}

/** What stands first in a block, and what last, whatever else there is. */
const leading = ["count", "for_each", "provider", "source", "version", "providers"];
const trailing = ["lifecycle", "depends_on"];

const rank = (name: string, path: string): number => {
  const first = leading.indexOf(name);
  // Within a nested block, `count` is an argument like any other: that of an accelerator.
  if (first >= 0 && first < 3 && (path === "" || name === "for_each")) return 0;
  return trailing.indexOf(name) + 2;
};

/** Paragraphs: meta-arguments, arguments, blocks, then `lifecycle` and `depends_on`, an empty line between any two. */
function bodyText(body: TerraformBody, place: Place): string {
  const members = Object.entries(body)
    .flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]))
    .map((member, index) => ({ ...member, index, nested: nestedBlock(place.shape, member.name) }))
    .filter(({ nested, value }) => nested === undefined || !isEmptyList(value))
    .sort(
      (a, b) =>
        rank(a.name, place.path) - rank(b.name, place.path) || kindOf(a) - kindOf(b) || a.index - b.index,
    );
  const paragraphs: string[] = [];
  let run: Entry[] = [];
  let runRank = 0;
  const closeRun = (): void => {
    if (run.length > 0) paragraphs.push(entriesText(run, inner));
    run = [];
  };
  const inner = `${place.indent}  `;
  for (const { name, value, nested } of members) {
    const path = place.path === "" ? name : `${place.path}.${name}`;
    if (nested !== undefined && isBlockValue(value)) {
      closeRun();
      const blocks = labelledBlocks(name, { value, labels: nested.labels });
      for (const block of blocks) {
        const text = blockText(block, {
          ...place,
          shape: nested.shape(block.labels[0]),
          indent: inner,
          path,
        });
        paragraphs.push(withNote(text, { note: place.notes[path], indent: inner }));
      }
      continue;
    }
    const entry = { name, text: valueText(value, inner), comment: place.notes[path] };
    const stands = standsAlone(entry.text, place.shape);
    if (stands || rank(name, place.path) !== runRank) closeRun();
    runRank = rank(name, place.path);
    run.push(entry);
    if (stands) closeRun();
  }
  closeRun();
  return paragraphs.join("\n\n");
}

/** Values of several lines are a paragraph of their own, but not among providers and locals, which are lists of such. */
const standsAlone = (text: string, { type }: BlockShape): boolean =>
  text.includes("\n") && type !== "required_providers";

/** Arguments before blocks. */
const kindOf = ({ nested, value }: { nested: object | undefined; value: TerraformValue }): number =>
  nested !== undefined && isBlockValue(value) ? 1 : 0;

const isEmptyList = (value: TerraformValue): boolean => Array.isArray(value) && value.length === 0;

const isBlockValue = (value: TerraformValue): value is TerraformBody | readonly TerraformBody[] =>
  typeof value === "object" && value !== null && !(value instanceof Expression) && !(value instanceof Call);

const withNote = (text: string, { note, indent }: { note: string | undefined; indent: string }): string =>
  note === undefined ? text : `${commentText(note, indent)}\n${text}`;

/** `{ gcs: { bucket } }` with one label is the block `backend "gcs" { bucket }`; a list is a block for each item. */
function labelledBlocks(
  type: string,
  { value, labels, found = [] }: { value: TerraformValue; labels: number; found?: readonly string[] },
): TerraformBlock[] {
  if (!isBlockValue(value))
    throw new TypeError(`${type}: a block is written as an object or a list of objects`);
  if (isList(value)) return value.flatMap((item) => labelledBlocks(type, { value: item, labels, found }));
  if (labels === 0) return [{ type, labels: found, body: value }];
  return Object.entries(value).flatMap(([label, part]) =>
    part === undefined
      ? []
      : labelledBlocks(type, { value: part, labels: labels - 1, found: [...found, label] }),
  );
}
