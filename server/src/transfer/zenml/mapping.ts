/**
 * What stands in Plinth for what the source calls by an id: the same, but for what both have of their own (users,
 * the default stack and its components, tags of one name).
 */
export type Mapping = {
  readonly users: IdMap;
  readonly stacks: IdMap;
  readonly components: IdMap;
  readonly connectors: IdMap;
  readonly secrets: IdMap;
  readonly tags: IdMap;
};

export type IdMap = {
  put(sourceId: string, ownId: string): void;
  /** Null for what was not brought over. */
  get(sourceId: string | null): string | null;
};

function createIdMap(): IdMap {
  const ids = new Map<string, string>();
  return {
    put: (sourceId, ownId) => void ids.set(sourceId, ownId),
    get: (sourceId) => (sourceId === null ? null : (ids.get(sourceId) ?? null)),
  };
}

export const createMapping = (): Mapping => ({
  users: createIdMap(),
  stacks: createIdMap(),
  components: createIdMap(),
  connectors: createIdMap(),
  secrets: createIdMap(),
  tags: createIdMap(),
});
