export { inOrder, type Finding, type Severity } from "./finding.ts";
