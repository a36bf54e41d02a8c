/** The door for imports: rows written and shown past the request path. */
export * from "./load.sql.ts";
export * from "./publish.sql.ts";
export * from "./locations.sql.ts";
