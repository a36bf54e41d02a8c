import { isTemplated } from "../../schemas/templated.ts";
import type { Located, Workspace } from "../workspace.ts";
import { fields } from "./kubernetes-objects.ts";

/** Variables of Ansible roles stand in documents beside the templates that use them: `{{ kserve_namespace }}`. */

const REFERENCE = /\{\{-?\s*(\w+)\s*(?:\|[^}]*)?-?\}\}/g;

/** The text with its variables filled in, where every one of them is known. */
export function filledIn(workspace: Workspace, text: string | undefined): string | undefined {
  if (text === undefined || !text.includes("{{")) return text;
  const filled = text.replaceAll(REFERENCE, (reference, name: string) => {
    const value = variableOf(workspace, name);
    return typeof value === "string" || typeof value === "number" ? String(value) : reference;
  });
  return isTemplated(filled) ? undefined : filled;
}

function variableOf(workspace: Workspace, name: string): unknown {
  for (const { value } of workspace.documents) {
    const found = fields(value)[name];
    if (found !== undefined && !isTemplated(found)) return found;
  }
  return undefined;
}

export type Variable = { document: Located; name: string; value: unknown };

/** Top-level variables of all documents whose name fits. */
export const variablesNamed = (workspace: Workspace, name: RegExp): Variable[] =>
  workspace.documents.flatMap((document) =>
    Object.entries(fields(document.value))
      .filter(([key]) => name.test(key))
      .map(([key, value]) => ({ document, name: key, value })),
  );
