/** The door for imports: rows written, checked and shown past the request path. */
export { createKeys, type Keys } from "../keys.ts";
export { isNewer } from "../run-data-plan.ts";
export type { Points, Texts } from "../run-data.sql.ts";
export { FIRST_LONG, insertExperimentIds, nextLongNumbers, selectLongIds } from "../experiment-ids.ts";
export * from "./checks.sql.ts";
export * from "./load.sql.ts";
export * from "./models.sql.ts";
export * from "./publish.sql.ts";
export * from "./locations.sql.ts";
