/** The door of imports. */
export { importSource, type ImportOptions } from "./import.ts";
export { lockImports } from "./lock.ts";
export { openSource } from "./open-source.ts";
export { createProblemLog } from "./problem.ts";
export { phases, type ImportProgress, type Phase } from "./progress.ts";
export { remarkTexts, type ImportReport } from "./report.ts";
