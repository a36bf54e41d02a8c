import { createCollection, type Collection, type CollectionDeps } from "./collection.ts";
import { idFields, userFields } from "./list.ts";
import { codeRepositories } from "./pipeline-tables.ts";

export type CodeRepositories = Collection<typeof codeRepositories>;

/** Where the code of pipelines comes from, such as a repository on GitHub. Unique by name in a workspace. */
export const createCodeRepositories = (deps: CollectionDeps): CodeRepositories =>
  createCollection(deps, {
    table: codeRepositories,
    label: "code repository",
    fields: { ...idFields, ...userFields, name: { kind: "text", sql: "t.name" } },
    nameKeys: ["code_repositories_name_key"],
  });
