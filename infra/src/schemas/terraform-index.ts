import type { TerraformModule } from "../lint/workspace.ts";
import type { HclBlock, HclBody, HclExpression } from "../hcl/syntax.ts";
import { valueOf } from "../hcl/value.ts";
import { providerOf, providerSchema } from "./terraform-providers.ts";

/** Something a module declares, and where. `address` is as references write it: `google_storage_bucket.models`. */
export type Declared = { address: string; file: string; block: HclBlock; line: number };

/** One argument of `locals`. */
export type DeclaredLocal = { address: string; file: string; line: number; value: HclExpression };

/** What a module declares, by address. The first declaration of an address counts; all are in `all`. */
export type ModuleIndex = {
  module: TerraformModule;
  /** Resources, data sources and ephemeral resources: `type.name`, `data.type.name`, `ephemeral.type.name`. */
  objects: ReadonlyMap<string, Declared>;
  variables: ReadonlyMap<string, Declared>;
  outputs: ReadonlyMap<string, Declared>;
  modules: ReadonlyMap<string, Declared>;
  locals: ReadonlyMap<string, DeclaredLocal>;
  all: readonly (Declared | DeclaredLocal)[];
  /** Version constraints by the provider's local name. */
  constraints: ReadonlyMap<string, string>;
};

const prefixes: Readonly<Record<string, string>> = {
  resource: "",
  data: "data.",
  ephemeral: "ephemeral.",
  variable: "var.",
  output: "output.",
  module: "module.",
};

const indexes = new WeakMap<TerraformModule, ModuleIndex>();

export function indexOf(module: TerraformModule): ModuleIndex {
  const before = indexes.get(module);
  if (before !== undefined) return before;
  const index = newIndex(module);
  indexes.set(module, index);
  return index;
}

function newIndex(module: TerraformModule): ModuleIndex {
  const objects = new Map<string, Declared>();
  const variables = new Map<string, Declared>();
  const outputs = new Map<string, Declared>();
  const modules = new Map<string, Declared>();
  const locals = new Map<string, DeclaredLocal>();
  const constraints = new Map<string, string>();
  const all: (Declared | DeclaredLocal)[] = [];
  const groups: Readonly<Record<string, Map<string, Declared>>> = {
    resource: objects,
    data: objects,
    ephemeral: objects,
    variable: variables,
    output: outputs,
    module: modules,
  };
  for (const { file, body } of ownFiles(module))
    // A check may have a data source of its own, which the module's other blocks may read too.
    for (const block of body.blocks.flatMap((block) => [
      block,
      ...(block.type === "check" ? blocksOf(block.body, "data") : []),
    ])) {
      if (block.type === "terraform") addConstraints(constraints, block.body);
      if (block.type === "provider") addOldConstraint(constraints, block);
      if (block.type === "locals")
        for (const { name, value, line } of block.body.attributes) {
          const local = { address: `local.${name}`, file, line, value };
          all.push(local);
          if (!locals.has(local.address)) locals.set(local.address, local);
        }
      const group = Object.hasOwn(groups, block.type) ? groups[block.type] : undefined;
      if (group === undefined) continue;
      const address = `${prefixes[block.type] ?? ""}${block.labels.join(".")}`;
      const declared = { address, file, block, line: block.line };
      all.push(declared);
      if (!group.has(address)) group.set(address, declared);
    }
  return { module, objects, variables, outputs, modules, locals, all, constraints };
}

/** Files of a module but for override files, whose blocks change those of the others. */
export const ownFiles = ({ files }: TerraformModule): TerraformModule["files"] =>
  files.filter(({ file }) => !/(?:^|[/_])override\.tf(?:\.json)?$/.test(file));

function addConstraints(constraints: Map<string, string>, terraform: HclBody): void {
  for (const block of terraform.blocks) {
    if (block.type !== "required_providers") continue;
    for (const { name, value } of block.body.attributes) {
      const told = valueOf(value);
      const version = typeof told === "object" && told !== null && "version" in told ? told.version : told;
      if (typeof version === "string") constraints.set(name, version);
    }
  }
}

/** Before required_providers, the version stood in the provider's own block. */
function addOldConstraint(constraints: Map<string, string>, { labels: [name = ""], body }: HclBlock): void {
  const version = attributeOf(body, "version");
  const told = version === undefined ? undefined : valueOf(version);
  if (typeof told === "string" && !constraints.has(name)) constraints.set(name, told);
}

/** The index of a module with what other modules say of providers that it says nothing of: its root may be among them. */
export function withConstraintsOf(index: ModuleIndex, modules: readonly TerraformModule[]): ModuleIndex {
  const constraints = new Map<string, string>();
  for (const module of modules)
    if (module.excerpt === index.module.excerpt && module !== index.module)
      for (const [name, constraint] of indexOf(module).constraints) {
        const before = constraints.get(name);
        constraints.set(name, before === undefined ? constraint : `${before}, ${constraint}`);
      }
  return { ...index, constraints: new Map([...constraints, ...index.constraints]) };
}

/** `provider = google-beta` on a resource of google: another provider, which has more than we know. */
export function hasOtherProvider({ labels: [type = ""], body }: HclBlock): boolean {
  const provider = attributeOf(body, "provider");
  return provider?.kind === "reference" && provider.root !== providerOf(type);
}

/** True when the release whose schema we have may be the one in use. Of another major version it says nothing. */
export function isOurRelease(index: ModuleIndex, type: string): boolean {
  const name = providerOf(type);
  const version = providerSchema(name)?.version;
  const constraint = index.constraints.get(name);
  return version === undefined || constraint === undefined || admitsMajor(constraint, version);
}

/** Whether some release of the same major version as `version` is admitted. */
export function admitsMajor(constraint: string, version: string): boolean {
  const major = Number(version.split(".")[0]);
  return constraint.split(",").every((part) => {
    const [, operator = "", first = "", rest = ""] = /^\s*([=!~<>]*)\s*v?(\d+)((?:\.\d+)*)/.exec(part) ?? [];
    if (first === "") return true;
    const bound = Number(first);
    if (operator === ">=" || operator === ">") return major >= bound;
    if (operator === "<=") return major <= bound;
    if (operator === "<") return major < bound || (major === bound && /[1-9]/.test(rest));
    if (operator === "!=") return true;
    if (operator === "~>" && rest === "") return major >= bound;
    return major === bound;
  });
}

export const attributeOf = (body: HclBody, name: string): HclExpression | undefined =>
  body.attributes.find((attribute) => attribute.name === name)?.value;

export const blocksOf = (body: HclBody, type: string): HclBlock[] =>
  body.blocks.filter((block) => block.type === type);
