import { isUnresolved } from "../lint/workspace.ts";

/** Text that becomes something else before Kubernetes sees it: `${...}` of Terraform, `{{ ... }}` and `{% ... %}` of Jinja and Helm. */
const TEMPLATE = /\$\{|\{\{|\{%/;

export const isTemplated = (value: unknown): boolean =>
  typeof value === "string" ? TEMPLATE.test(value) : isUnresolved(value);
