import { dirname, posix } from "node:path";
import type { HclBlock, HclBody, HclExpression } from "../hcl/syntax.ts";
import { locate, valueOf } from "../hcl/value.ts";
import { text, written } from "./plain-values.ts";
import { findDocument, merged, setValue } from "./workspace-kubernetes.ts";
import type { HelmRelease, Located, Snippet, TerraformModule } from "./workspace.ts";
import { readYaml, type YamlText } from "./yaml-documents.ts";

export type ReleasePlace = { documents: readonly Located[]; snippet: Snippet; module: TerraformModule };

export const attributeOf = (body: HclBody, name: string): HclExpression | undefined =>
  body.attributes.find((one) => one.name === name)?.value;

/** A `helm_release` with everything that is set: `values` in their order, then `set`. */
export function releaseOf(place: ReleasePlace, block: HclBlock): HelmRelease {
  const { snippet, module } = place;
  const { file } = snippet;
  const constant = (name: string): string | undefined => constantOf(module, attributeOf(block.body, name));
  const asWritten = (name: string): string | undefined => {
    const expression = attributeOf(block.body, name);
    return expression === undefined ? undefined : written(valueOf(expression));
  };
  const reference = constant("chart") ?? asWritten("chart") ?? "";
  const chart = reference.split("/").at(-1) ?? reference;
  const prefix = reference.slice(0, -chart.length - 1);
  const values = [...valuesOf(place, attributeOf(block.body, "values")), ...settings(file, block.body)];
  return {
    file,
    line: block.line,
    origin: "terraform",
    chart,
    repository: constant("repository") ?? asWritten("repository") ?? (prefix === "" ? undefined : prefix),
    version: constant("version") ?? asWritten("version"),
    releaseName: constant("name") ?? asWritten("name"),
    namespace: asWritten("namespace"),
    values: merged(values),
  };
}

/** A text, or a variable of the module that has one as its default. */
function constantOf(module: TerraformModule, expression: HclExpression | undefined): string | undefined {
  if (expression?.kind === "literal") return text(expression.value);
  if (expression?.kind !== "reference" || expression.root !== "var") return undefined;
  const [name] = expression.steps;
  const variable = module.files
    .flatMap(({ body }) => body.blocks)
    .find((block) => block.type === "variable" && block.labels[0] === name);
  const value = variable === undefined ? undefined : attributeOf(variable.body, "default");
  return value?.kind === "literal" ? text(value.value) : undefined;
}

function valuesOf(place: ReleasePlace, expression: HclExpression | undefined): Located[] {
  if (expression?.kind === "tuple") return expression.items.flatMap((item) => valuesOf(place, item));
  if (expression?.kind === "call" && (expression.name === "file" || expression.name === "templatefile")) {
    const path = fileArgument(expression.arguments[0]);
    if (path === undefined) return [];
    const found = findDocument(place.documents, posix.join(dirname(place.snippet.file), path), new Set());
    return found === undefined ? [] : [found];
  }
  if (expression?.kind === "conditional") {
    return [...valuesOf(place, expression.yes), ...valuesOf(place, expression.no)];
  }
  return expression === undefined ? [] : yamlOf(place.snippet, expression).documents;
}

/** `"${path.module}/values.yaml"` as the path beside the file that says it. */
function fileArgument(expression: HclExpression | undefined): string | undefined {
  const value = expression === undefined ? undefined : valueOf(expression);
  if (typeof value !== "string") return undefined;
  const path = value.replace(/^\$\{path\.(?:module|root)\}\/?/, "");
  return path.includes("${") ? undefined : path;
}

function settings(file: string, body: HclBody): Located[] {
  const isSet = (name: string): boolean => /^set(?:_sensitive|_list|_wo)?$/.test(name);
  const blocks = body.blocks
    .filter(({ type }) => isSet(type))
    .map(({ body, line }) => ({
      line,
      name: locatedText(attributeOf(body, "name")),
      value: valueOrNothing(attributeOf(body, "value")),
    }));
  const items = body.attributes
    .filter(({ name }) => isSet(name))
    .flatMap(({ value }) => (value.kind === "tuple" ? value.items : []))
    .map((item) => {
      const found = valueOf(item);
      const fields: Record<string, unknown> = typeof found === "object" && found !== null ? { ...found } : {};
      return { line: item.line, name: text(fields["name"]), value: fields["value"] };
    });
  return [...blocks, ...items].flatMap(({ line, name, value }) =>
    name === undefined ? [] : [{ file, value: setValue(name, value), lineOf: () => line }],
  );
}

const locatedText = (expression: HclExpression | undefined): string | undefined =>
  expression === undefined ? undefined : text(valueOf(expression));

const valueOrNothing = (expression: HclExpression | undefined): unknown =>
  expression === undefined ? undefined : valueOf(expression);

type LocatedYaml = Omit<YamlText, "documents"> & { documents: (Located & { templated: boolean })[] };

/** The documents of an expression: YAML of a heredoc with its lines, `yamlencode({...})`, or an object. */
export function yamlOf(snippet: Snippet, expression: HclExpression): LocatedYaml {
  const { file } = snippet;
  const inner =
    expression.kind === "call" && expression.name === "yamldecode" ? expression.arguments[0] : expression;
  const none = { documents: [], problems: [], templateLine: undefined };
  if (inner === undefined) return none;
  if ((inner.kind === "heredoc" || inner.kind === "template") && inner.heredoc !== undefined) {
    const { marker, firstLine } = inner.heredoc;
    const read = readYaml(heredocText(snippet, { marker, firstLine }), firstLine);
    return { ...read, documents: read.documents.map((document) => ({ file, ...document })) };
  }
  const located = locate(file, inner);
  if (typeof located.value === "string") {
    const read = readYaml(located.value, 1);
    const problems = read.problems.map(({ message }) => ({ message, line: inner.line }));
    const documents = read.documents.map(({ value, templated }) => ({
      file,
      value,
      templated,
      lineOf: () => inner.line,
    }));
    return { ...read, problems, documents };
  }
  return { ...none, documents: [{ ...located, templated: false }] };
}

/** The text as it stands in the file, so that lines and `${...}` are as written. */
function heredocText(snippet: Snippet, { marker, firstLine }: { marker: string; firstLine: number }): string {
  const lines = snippet.text.split("\n").slice(firstLine - snippet.firstLine);
  const end = lines.findIndex((line) => line.trim() === marker);
  const own = lines.slice(0, end === -1 ? undefined : end);
  const indents = own.filter((line) => line.trim() !== "").map((line) => line.search(/\S/));
  const indent = Math.min(...indents, 1000);
  return own.map((line) => line.slice(indent)).join("\n");
}
