import {
  GraphQLError,
  Kind,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type SelectionSetNode,
} from "graphql";

/** What a query may ask at most, as MLflow's server limits it: counted before anything is looked up. */
const limits = { depth: 10, selections: 1000, rootFields: 10, aliases: 10 } as const;

/** Throws the GraphQLError of the first limit that the operations of a document exceed. */
export function checkLimits(document: DocumentNode): void {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  // Also what no operation spreads: checking fields against one another takes the square of their number.
  let selections = document.definitions.reduce(
    (sum, one) => sum + ("selectionSet" in one ? countWritten(one) : 0),
    0,
  );
  checkSelections(selections);
  selections = 0;
  let rootFields = 0;
  const open: { set: SelectionSetNode; depth: number }[] = document.definitions.flatMap((definition) =>
    definition.kind === Kind.OPERATION_DEFINITION ? [{ set: definition.selectionSet, depth: 1 }] : [],
  );
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { set, depth } = next;
    if (depth > limits.depth) throw new GraphQLError(`Query exceeds maximum depth of ${limits.depth}`);
    const fields = fieldsOf(set, fragments);
    selections += fields.length;
    checkSelections(selections);
    if (depth === 1) rootFields += fields.length;
    checkMost("aliases", fields.filter((field) => field.alias !== undefined).length);
    for (const { selectionSet } of fields) {
      if (selectionSet !== undefined) open.push({ set: selectionSet, depth: depth + 1 });
    }
  }
  checkMost("rootFields", rootFields);
}

function checkSelections(count: number): void {
  if (count <= limits.selections) return;
  throw new GraphQLError(`Query exceeds maximum total selections of ${limits.selections}`);
}

function countWritten(node: { selectionSet?: SelectionSetNode | undefined }): number {
  const open = [...(node.selectionSet?.selections ?? [])];
  let count = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    count += 1;
    if ("selectionSet" in next) open.push(...(next.selectionSet?.selections ?? []));
  }
  return count;
}

const words = { rootFields: "root fields", aliases: "aliases" } as const;

function checkMost(what: keyof typeof words, count: number): void {
  if (count <= limits[what]) return;
  const word = words[what];
  throw new GraphQLError(
    `GraphQL queries should have at most ${limits[what]} ${word}, got ${count} ${word}.`,
  );
}

/** The fields of one level, those of fragments spread there included, each fragment once. */
function fieldsOf(
  set: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): FieldNode[] {
  const fields: FieldNode[] = [];
  const seen = new Set<string>();
  const open = [...set.selections];
  for (let selection = open.shift(); selection !== undefined; selection = open.shift()) {
    if (selection.kind === Kind.FIELD) fields.push(selection);
    else if (selection.kind === Kind.INLINE_FRAGMENT) open.push(...selection.selectionSet.selections);
    else if (!seen.has(selection.name.value)) {
      seen.add(selection.name.value);
      open.push(...(fragments.get(selection.name.value)?.selectionSet.selections ?? []));
    }
  }
  return fields;
}
