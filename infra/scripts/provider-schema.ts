import { isDeepStrictEqual } from "node:util";

/** Turns the answer of `terraform providers schema -json` into a file of `infra/data/terraform`. */

type Attribute = {
  type?: unknown;
  nested_type?: { attributes: Record<string, Attribute>; nesting_mode: string };
  required?: boolean;
  optional?: boolean;
  computed?: boolean;
  sensitive?: boolean;
  write_only?: boolean;
  deprecated?: boolean;
};

type Block = {
  attributes?: Record<string, Attribute>;
  block_types?: Record<
    string,
    { nesting_mode: string; block: Block; min_items?: number; max_items?: number }
  >;
  deprecated?: boolean;
};

type Schemas = Record<string, { block: Block }>;

export type ProviderAnswer = {
  provider?: { block?: Block };
  resource_schemas?: Schemas;
  data_source_schemas?: Schemas;
  ephemeral_resource_schemas?: Schemas;
  functions?: Record<string, unknown>;
};

export type Part = { readonly [key: string]: unknown };
export type Body = { readonly [name: string]: Part };
type Group = { readonly [type: string]: Body };

export type ProviderFile = {
  provider: string;
  version: string;
  source_commit?: string;
  provider_config: Body;
  resources: Group;
  data_sources: Group;
  ephemeral_resources?: Group;
  functions?: readonly string[];
  deprecated_aliases?: Readonly<Record<string, string>>;
};

/** What the answer does not say of a value or block: it is kept from the file before, where type and name are the same. */
const unsaid = [
  "force_new",
  "default",
  "conflicts_with",
  "exactly_one_of",
  "at_least_one_of",
  "required_with",
  "enum",
  "pattern",
  "format",
  "length",
  "length_min",
  "range",
  "minimum",
  "maximum",
  "non_empty",
  "no_whitespace",
  "int",
  "elem",
];

/** `before` is the file there is; only the types it has are kept when `selection` is set. */
export function providerFile(
  answer: ProviderAnswer,
  told: { provider: string; version: string; before: ProviderFile | undefined; selection: boolean },
): ProviderFile {
  const { provider, version, before, selection } = told;
  const group = (schemas: Schemas | undefined, old: Group | undefined): Group =>
    sorted(
      Object.entries(schemas ?? {})
        .filter(([type]) => !selection || old === undefined || Object.hasOwn(old, type))
        .map(([type, { block }]) => [type, kept(bodyOf(block), old?.[type])]),
    );
  const ephemeral = group(answer.ephemeral_resource_schemas, before?.ephemeral_resources);
  const functions = Object.keys(answer.functions ?? {}).sort();
  return {
    provider,
    version,
    provider_config: kept(bodyOf(answer.provider?.block ?? {}), before?.provider_config),
    resources: group(answer.resource_schemas, before?.resources),
    data_sources: group(answer.data_source_schemas, before?.data_sources),
    ...(Object.keys(ephemeral).length > 0 ? { ephemeral_resources: ephemeral } : {}),
    ...(functions.length > 0 ? { functions } : {}),
    ...(before?.deprecated_aliases === undefined ? {} : { deprecated_aliases: before.deprecated_aliases }),
  };
}

function bodyOf({ attributes = {}, block_types: blocks = {} }: Block): Body {
  return {
    ...sorted(Object.entries(attributes).map(([name, attribute]) => [name, attributeOf(attribute)])),
    ...sorted(
      Object.entries(blocks).map(([name, { nesting_mode: mode, block, min_items: min, max_items: max }]) => [
        name,
        {
          block: mode,
          ...(min === undefined ? {} : { min }),
          ...(max === undefined ? {} : { max }),
          ...(block.deprecated ? { deprecated: true } : {}),
          body: bodyOf(block),
        },
      ]),
    ),
  };
}

function attributeOf(attribute: Attribute): Part {
  const { type, nested_type: nested, required, optional, computed } = attribute;
  const mode = required ? "required" : optional ? (computed ? "optional+computed" : "optional") : "computed";
  return {
    ...(type === undefined ? {} : { type }),
    mode,
    ...(attribute.sensitive ? { sensitive: true } : {}),
    ...(attribute.write_only ? { write_only: true } : {}),
    ...(attribute.deprecated ? { deprecated: true } : {}),
    ...(nested === undefined
      ? {}
      : { nesting: nested.nesting_mode, body: bodyOf({ attributes: nested.attributes }) }),
  };
}

/** Adds to a body what only the file before knows of it. */
function kept(body: Body, before: Body | undefined): Body {
  if (before === undefined) return body;
  return Object.fromEntries(
    Object.entries(body).map(([name, part]) => {
      const old = Object.hasOwn(before, name) ? before[name] : undefined;
      if (
        old === undefined ||
        !isDeepStrictEqual(old["type"], part["type"]) ||
        old["block"] !== part["block"]
      )
        return [name, part];
      const extra = Object.fromEntries(unsaid.flatMap((key) => (key in old ? [[key, old[key]]] : [])));
      const inner =
        part["body"] === undefined ? {} : { body: kept(part["body"] as Body, old["body"] as Body) };
      return [name, { ...part, ...extra, ...inner }];
    }),
  );
}

const sorted = <T>(entries: readonly (readonly [string, T])[]): Record<string, T> =>
  Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
