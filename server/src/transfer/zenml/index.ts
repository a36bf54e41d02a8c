/** The door of imports from ZenML. */
export { importZenml, type ZenmlImportReport } from "./import.ts";
export { openZenmlSource } from "./source.ts";
