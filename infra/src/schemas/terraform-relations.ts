import type { HclBody, HclExpression } from "../hcl/syntax.ts";
import type { Report } from "./terraform-problem.ts";
import type { AttributeSchema, BlockSchema, BodySchema } from "./terraform-providers.ts";

/** Whether something is configured; `maybe` when only Terraform can tell. */
type Presence = "yes" | "no" | "maybe";

type Root = { body: HclBody; schema: BodySchema; what: string; line: number; report: Report };

/** Checks what excludes, demands or replaces one another. Paths count blocks: `settings.0.tier`. */
export function checkRelations(root: Root): void {
  const seen = new Set<string>();
  const once = (key: string, problem: () => void): void => {
    if (seen.has(key)) return;
    seen.add(key);
    problem();
  };
  for (const { path, schema } of relatedParts(root)) {
    checkConflicts(root, { path, schema, once });
    checkGroups(root, { path, schema, once });
    checkCompany(root, { path, schema });
  }
}

type Part = { path: string; schema: AttributeSchema | BlockSchema };
type Checked = Part & { once(key: string, problem: () => void): void };

/** Parts of the schema that have relations, within the bodies that are there. */
function relatedParts({ body, schema }: Root): Part[] {
  const parts: Part[] = [];
  const walk = (schema: BodySchema, prefix: string): void => {
    for (const [name, part] of Object.entries(schema)) {
      const path = `${prefix}${name}`;
      if (part.conflicts_with || part.exactly_one_of || part.at_least_one_of || part.required_with)
        parts.push({ path, schema: part });
      // Relations speak of the first of several blocks: only where there is at most one do they say all.
      if (part.block === undefined || (part.block !== "single" && part.max !== 1)) continue;
      if (presenceOf(body, path) === "yes") walk(part.body, `${path}.0.`);
    }
  };
  walk(schema, "");
  return parts;
}

function checkConflicts(root: Root, { path, schema, once }: Checked): void {
  for (const other of schema.conflicts_with ?? []) {
    if (other === path || presenceOf(root.body, path) !== "yes" || presenceOf(root.body, other) !== "yes")
      continue;
    once([path, other].sort().join("|"), () =>
      root.report({
        kind: "argument-conflict",
        line: lineOf(root, path),
        message: `"${shown(path)}" of ${root.what} conflicts with "${shown(other)}": only one of them may be set.`,
        remedy: `Take out "${shown(path)}" or "${shown(other)}".`,
      }),
    );
  }
}

function checkGroups(root: Root, { path, schema, once }: Checked): void {
  const exactly = schema.exactly_one_of;
  const atLeast = schema.at_least_one_of;
  for (const group of [exactly, atLeast]) {
    if (group === undefined) continue;
    const members = group.includes(path) ? group : [path, ...group];
    const presences = members.map((member) => presenceOf(root.body, member));
    const set = members.filter((_, index) => presences[index] === "yes");
    const names = members.map((member) => `"${shown(member)}"`).join(", ");
    const kind = "argument-conflict";
    if (presences.every((presence) => presence === "no"))
      once(`none ${[...members].sort().join("|")}`, () =>
        root.report({
          kind,
          line: parentLine(root, path),
          message: `${root.what} needs ${group === exactly ? "one" : "at least one"} of ${names}.`,
          remedy: `Set one of ${names}.`,
        }),
      );
    const [, second] = set;
    if (group === exactly && second !== undefined)
      once(`two ${[...members].sort().join("|")}`, () =>
        root.report({
          kind,
          line: lineOf(root, second),
          message: `${root.what} may have only one of ${names}; ${set.map((one) => `"${shown(one)}"`).join(" and ")} are set.`,
          remedy: "Keep one of them.",
        }),
      );
  }
}

function checkCompany(root: Root, { path, schema }: Part): void {
  if (schema.required_with === undefined || presenceOf(root.body, path) !== "yes") return;
  for (const other of schema.required_with)
    if (presenceOf(root.body, other) === "no")
      root.report({
        kind: "argument-conflict",
        line: lineOf(root, path),
        message: `"${shown(path)}" of ${root.what} needs "${shown(other)}" beside it.`,
        remedy: `Set "${shown(other)}" too.`,
      });
}

/** `settings.0.tier` reads `settings.tier`. */
const shown = (path: string): string => path.replaceAll(/\.\d+(?=\.|$)/g, "");

function presenceOf(body: HclBody, path: string): Presence {
  const [name = "", ...rest] = path.split(".");
  const attribute = body.attributes.find((attribute) => attribute.name === name);
  if (attribute !== undefined) return rest.length > 0 ? "maybe" : presenceOfValue(attribute.value);
  if (body.blocks.some(({ type, labels }) => type === "dynamic" && labels[0] === name)) return "maybe";
  const block = body.blocks.find(({ type }) => type === name);
  if (block === undefined) return "no";
  const inner = /^\d+$/.test(rest[0] ?? "") ? rest.slice(1) : rest;
  return inner.length === 0 ? "yes" : presenceOf(block.body, inner.join("."));
}

/** Attributes of resources are never null as a whole; what comes from outside may be. */
const mayBeNull = new Set(["var", "local", "each", "module", "data"]);

function presenceOfValue(value: HclExpression): Presence {
  if (value.kind === "literal") return value.value === null ? "no" : "yes";
  if (value.kind === "reference") return mayBeNull.has(value.root) ? "maybe" : "yes";
  const isKnown = ["heredoc", "template", "tuple", "object"].includes(value.kind);
  return isKnown ? "yes" : "maybe";
}

function lineOf({ body, line }: Root, path: string): number {
  const [name = "", ...rest] = path.split(".");
  const attribute = body.attributes.find((attribute) => attribute.name === name);
  if (attribute !== undefined) return attribute.line;
  const block = body.blocks.find(({ type }) => type === name);
  if (block === undefined) return line;
  const inner = /^\d+$/.test(rest[0] ?? "") ? rest.slice(1) : rest;
  return inner.length === 0 ? block.line : lineOf({ ...rootOf(block.body, block.line) }, inner.join("."));
}

const rootOf = (body: HclBody, line: number): Root => ({
  body,
  line,
  schema: {},
  what: "",
  report: () => undefined,
});

const parentLine = (root: Root, path: string): number => {
  const parent = path.replace(/(?:\.\d+)?\.[^.]+$/, "");
  return parent === path ? root.line : lineOf(root, parent);
};
