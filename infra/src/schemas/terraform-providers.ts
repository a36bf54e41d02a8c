import { readFileSync } from "node:fs";

/** Structure of the Terraform providers we know, as `data/terraform/README.md` describes it. */

export type TerraformType =
  | string
  | readonly [string, TerraformType | Readonly<Record<string, TerraformType>>];

/** What providers say of a value beyond its type, and of how several go together. */
type Limits = {
  force_new?: boolean;
  conflicts_with?: readonly string[];
  exactly_one_of?: readonly string[];
  at_least_one_of?: readonly string[];
  required_with?: readonly string[];
};

export type ValueLimits = {
  enum?: readonly string[];
  pattern?: string;
  format?: string;
  length?: readonly [number, number];
  length_min?: number;
  range?: readonly [number, number];
  minimum?: number;
  maximum?: number;
  non_empty?: boolean;
  no_whitespace?: boolean;
  int?: boolean;
  elem?: ValueLimits;
};

export type AttributeSchema = Limits &
  ValueLimits & {
    type?: TerraformType;
    mode: "required" | "optional" | "optional+computed" | "computed";
    /** Nested attributes: written as a value, never as a block. */
    nesting?: "single" | "list" | "set" | "map";
    body?: BodySchema;
    sensitive?: boolean;
    write_only?: boolean;
    deprecated?: boolean;
    default?: unknown;
    block?: undefined;
  };

export type BlockSchema = Limits & {
  block: "list" | "set" | "single" | "map";
  body: BodySchema;
  min?: number;
  max?: number;
  deprecated?: boolean;
  elem?: undefined;
};

export type BodySchema = { readonly [name: string]: AttributeSchema | BlockSchema };

export type ProviderSchema = {
  provider: string;
  version: string;
  provider_config: BodySchema;
  resources: Readonly<Record<string, BodySchema>>;
  data_sources: Readonly<Record<string, BodySchema>>;
  ephemeral_resources?: Readonly<Record<string, BodySchema>>;
  functions?: readonly string[];
  deprecated_aliases?: Readonly<Record<string, string>>;
};

const known = [
  "civo",
  "google",
  "helm",
  "kubectl",
  "kubernetes",
  "null",
  "random",
  "restapi",
  "terraform",
  "time",
  "tls",
  "zenml",
] as const;

const loaded = new Map<string, ProviderSchema>();

/** Schema of a provider by its local name; undefined for one we have no data of. Read from disk at first use. */
export function providerSchema(name: string): ProviderSchema | undefined {
  const before = loaded.get(name);
  if (before !== undefined || !known.some((one) => one === name)) return before;
  const path = new URL(`../../data/terraform/${name}.json`, import.meta.url);
  const schema = JSON.parse(readFileSync(path, "utf8")) as ProviderSchema;
  loaded.set(name, schema);
  return schema;
}

/** `google` of `google_storage_bucket`. */
export const providerOf = (type: string): string => type.split("_", 1)[0] ?? type;

export type BlockKind = "resource" | "data" | "ephemeral" | "provider";

export type KnownBody = { schema: BodySchema; provider: ProviderSchema; deprecatedFor: string | undefined };

/**
 * What may stand in a block of this kind and type. Deprecated names have the body of their successor.
 * Undefined when the provider does not have it, or is not known.
 */
export function bodySchema(kind: BlockKind, type: string): KnownBody | undefined {
  const provider = providerSchema(kind === "provider" ? type : providerOf(type));
  if (provider === undefined) return undefined;
  if (kind === "provider") return { schema: provider.provider_config, provider, deprecatedFor: undefined };
  const group =
    kind === "resource"
      ? provider.resources
      : kind === "data"
        ? provider.data_sources
        : (provider.ephemeral_resources ?? {});
  const successor = provider.deprecated_aliases?.[type];
  const name = successor !== undefined && !Object.hasOwn(group, type) ? successor : type;
  const schema = Object.hasOwn(group, name) ? group[name] : undefined;
  return schema === undefined
    ? undefined
    : { schema, provider, deprecatedFor: name === type ? undefined : name };
}
