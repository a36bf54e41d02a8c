import { bodySchema, type BlockKind, type BodySchema } from "../schemas/terraform-providers.ts";

/** Labels of the blocks of a module. */
export const moduleBlocks: Readonly<Record<string, number>> = {
  resource: 2,
  data: 2,
  ephemeral: 2,
  module: 1,
  variable: 1,
  output: 1,
  provider: 1,
  check: 1,
  terraform: 0,
  locals: 0,
  moved: 0,
  import: 0,
  removed: 0,
};

/** Blocks within blocks that Terraform itself knows, with their number of labels. */
const ownBlocks: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  resource: { lifecycle: 0, provisioner: 1, connection: 0, dynamic: 1 },
  data: { lifecycle: 0, dynamic: 1 },
  ephemeral: { lifecycle: 0, dynamic: 1 },
  provider: { dynamic: 1 },
  lifecycle: { precondition: 0, postcondition: 0 },
  terraform: { required_providers: 0, backend: 1, cloud: 0, provider_meta: 1 },
  cloud: { workspaces: 0 },
  variable: { validation: 0 },
  output: { precondition: 0 },
  check: { data: 2, assert: 0 },
  removed: { lifecycle: 0, provisioner: 1 },
  provisioner: { connection: 0 },
};

/** What is known of the body of a block: its type, and the provider's schema where one is told. */
export type BlockShape = { type: string; schema: BodySchema | undefined };

const kinds: Readonly<Record<string, BlockKind>> = {
  resource: "resource",
  data: "data",
  ephemeral: "ephemeral",
  provider: "provider",
};

/** Shape of a block of a module, or of a `data` block within a `check`. */
export function shapeOf(type: string, label: string | undefined): BlockShape {
  const kind = Object.hasOwn(kinds, type) ? kinds[type] : undefined;
  const schema = kind === undefined || label === undefined ? undefined : bodySchema(kind, label)?.schema;
  return { type, schema };
}

/** A block within a block: its number of labels, and what is known of its body by its first label. */
export type NestedBlock = { labels: number; shape(label: string | undefined): BlockShape };

/** Undefined when `name` is an argument within this block. */
export function nestedBlock(shape: BlockShape, name: string): NestedBlock | undefined {
  const { type, schema } = shape;
  const own = Object.hasOwn(ownBlocks, type) ? ownBlocks[type] : undefined;
  const known = schema !== undefined && Object.hasOwn(schema, name) ? schema[name] : undefined;
  if (known?.block !== undefined) return { labels: 0, shape: () => ({ type: "nested", schema: known.body }) };
  // Blocks of a schema may themselves be made by `dynamic`.
  const labels = own !== undefined && Object.hasOwn(own, name) ? own[name] : undefined;
  if (name === "dynamic" && (labels !== undefined || type === "nested"))
    return { labels: 1, shape: (label) => dynamicShape(shape, label) };
  if (name === "content" && type === "dynamic")
    return { labels: 0, shape: () => ({ type: "nested", schema }) };
  return labels === undefined ? undefined : { labels, shape: (label) => shapeOf(name, label) };
}

/** The schema of a `dynamic` block is that of what it makes; it stands in its `content`. */
function dynamicShape({ schema }: BlockShape, label: string | undefined): BlockShape {
  const made =
    schema !== undefined && label !== undefined && Object.hasOwn(schema, label) ? schema[label] : undefined;
  return { type: "dynamic", schema: made?.block === undefined ? undefined : made.body };
}
