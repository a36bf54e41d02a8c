import type { FastifyRequest } from "fastify";
import { DEFAULT_WORKSPACE, type Enter, type Scope } from "../../modules/identity/index.ts";

/**
 * The workspace a request names in its header, or `default`, entered by its caller. Throws for one that is not
 * there, or that the caller has no part in.
 */
export type ScopeOf = (request: FastifyRequest) => Scope | Promise<Scope>;

const HEADER = "x-mlflow-workspace";

export const createScopeOf =
  (enter: Enter): ScopeOf =>
  (request) =>
    enter(request.caller, workspaceNameOf(request));

/** The name alone, of a workspace that need not be there. */
export function workspaceNameOf({ headers }: Pick<FastifyRequest, "headers">): string {
  const header = headers[HEADER];
  const name = header === undefined ? "" : String(header).trim();
  return name === "" ? DEFAULT_WORKSPACE : name;
}
