import { isUnresolved } from "../lint/workspace.ts";

/**
 * Text that becomes something else before Kubernetes sees it: `${...}` of Terraform, `{{ ... }}` and `{% ... %}` of Jinja and Helm,
 * `($...)` of Chainsaw, and a `<name>` that the reader of a document fills in.
 */
const TEMPLATE = /\$\{|\{\{|\{%|\(\$|<[a-z][a-z0-9 _-]*>/;

export const isTemplated = (value: unknown): boolean =>
  typeof value === "string" ? TEMPLATE.test(value) : isUnresolved(value);
