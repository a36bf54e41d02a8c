import { readFileSync, statSync } from "node:fs";
import { registerHooks, stripTypeScriptTypes } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parse, type Expression, type Program, type SpreadElement } from "acorn";
import type { SettingPath } from "./spec/resolve.ts";

/** A configuration file, run: what it exports, and where in its text each setting stands. */
export type ConfigurationFile = {
  file: string;
  exported: unknown;
  /** Line of the setting at `path`, or of the nearest one around it that is written there. */
  lineOf(path: SettingPath): number;
};

/** The file cannot be used at all. `line` is 1 where it is not known. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
  readonly line: number;
  constructor(message: string, line = 1) {
    super(message);
    this.line = line;
  }
}

/**
 * Reads `plinth.config.ts` (or .js, .json) by running it: it is a program of the caller, as a Makefile is.
 * @throws ConfigurationError when it does not parse, throws, or has no default export.
 */
export async function loadConfiguration(file: string): Promise<ConfigurationFile> {
  const text = readFileSync(file, "utf8");
  if (file.endsWith(".json")) {
    const exported = parseJson(text);
    return { file, exported, lineOf: locator(`export default ${text}`) };
  }
  const script = file.endsWith("ts") ? withoutTypes(text) : text;
  // Parsed first, because Node's own words for a syntax error have no line.
  const lineOf = locator(script);
  const exported = await runModule(file);
  if (exported === undefined) {
    throw new ConfigurationError(
      "there is no default export: write `export default { name: ..., environments: ... }`",
    );
  }
  return { file, exported, lineOf };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ConfigurationError(`not JSON: ${messageOf(error)}`);
  }
}

/** The text with its types blanked out: everything stays on its line. */
function withoutTypes(text: string): string {
  try {
    return quietly(() => stripTypeScriptTypes(text));
  } catch (error) {
    const line = /:(\d+)$/m.exec(stackOf(error))?.[1];
    throw new ConfigurationError(messageOf(error).split("\n")[0] ?? "", Number(line ?? 1));
  }
}

/** Runs something that Node still calls experimental. */
function quietly<T>(run: () => T): T {
  const emit = process.emitWarning;
  process.emitWarning = () => undefined;
  try {
    return run();
  } finally {
    process.emitWarning = emit;
  }
}

async function runModule(file: string): Promise<unknown> {
  const path = resolve(file);
  const address = pathToFileURL(path).href;
  // Without a package.json beside it Node would guess the kind of module, and say so at length.
  const hooks = registerHooks({
    load: (url, context, next) =>
      url.split("?", 1)[0] === address
        ? next(url, { ...context, format: path.endsWith("ts") ? "module-typescript" : "module" })
        : next(url, context),
  });
  try {
    const module = (await import(`${address}?at=${statSync(path).mtimeMs}`)) as { default?: unknown };
    return module.default;
  } catch (error) {
    const line = new RegExp(`${escapeRegExp(address)}[^:]*:(\\d+)`).exec(stackOf(error))?.[1];
    throw new ConfigurationError(`it cannot be run: ${messageOf(error)}`, Number(line ?? 1));
  } finally {
    hooks.deregister();
  }
}

const stackOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? "") : "");
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const escapeRegExp = (text: string): string => text.replaceAll(/[$()*+.?[\\\]^{|}]/g, "\\$&");

/** Finds the line of a setting in the syntax tree: through object literals, constants of the file, and spreads. */
function locator(script: string): (path: SettingPath) => number {
  let program: Program;
  try {
    program = parse(script, { ecmaVersion: "latest", sourceType: "module", locations: true });
  } catch (error) {
    const { loc, message } = error as { loc?: { line: number }; message: string };
    throw new ConfigurationError(message.replace(/ \(\d+:\d+\)$/, ""), loc?.line ?? 1);
  }
  const constants = new Map<string, Expression>();
  let root: Expression | undefined;
  for (const statement of program.body) {
    if (statement.type === "ExportDefaultDeclaration") root = statement.declaration as Expression;
    const declaration = statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
    if (declaration?.type !== "VariableDeclaration") continue;
    for (const { id, init } of declaration.declarations) {
      if (id.type === "Identifier" && init) constants.set(id.name, init);
    }
  }
  return (path) => (root === undefined ? 1 : find(root, path, constants)?.line) ?? root?.loc?.start.line ?? 1;
}

type Constants = ReadonlyMap<string, Expression>;
type Found = { line: number; depth: number };

/** The place of the longest beginning of `path` that stands in `node`. */
function find(node: Expression | SpreadElement, path: SettingPath, constants: Constants): Found | undefined {
  if (node.type === "Identifier") {
    const value = constants.get(node.name);
    if (value === undefined) return undefined;
    // A constant that is made of itself does not come by again.
    const others = new Map(constants);
    others.delete(node.name);
    return find(value, path, others);
  }
  if (node.type === "SpreadElement") return find(node.argument, path, constants);
  const [step, ...rest] = path;
  if (step === undefined) return undefined;
  if (node.type === "ArrayExpression" && typeof step === "number") {
    const item = node.elements[step];
    if (!item) return undefined;
    return deeper(item.loc?.start.line ?? 1, find(item, rest, constants));
  }
  if (node.type !== "ObjectExpression") return undefined;
  let best: Found | undefined;
  // The last one wins, as it does when the object is made.
  for (const property of node.properties) {
    if (property.type === "SpreadElement") {
      const within = find(property.argument, path, constants);
      if (within !== undefined && within.depth >= (best?.depth ?? 0)) best = within;
      continue;
    }
    const { key } = property;
    const name =
      key.type === "Identifier" ? key.name : key.type === "Literal" ? String(key.value) : undefined;
    if (name !== String(step)) continue;
    const line = property.loc?.start.line ?? 1;
    best = deeper(line, find(property.value, rest, constants));
  }
  return best;
}

const deeper = (line: number, within: Found | undefined): Found =>
  within === undefined ? { line, depth: 1 } : { line: within.line, depth: within.depth + 1 };
