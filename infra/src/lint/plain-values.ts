import { isUnresolved } from "./workspace.ts";

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Text that says something: numbers count (`targetRevision: 1.2`), empty text does not. */
export const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : typeof value === "number" ? String(value) : undefined;

/** As it was written: a reference of Terraform reads `${var.x}`, as it does within a heredoc. */
export const written = (value: unknown): string | undefined =>
  isUnresolved(value) ? `\${${value.unresolved}}` : text(value);
