import type { FastifyRequest } from "fastify";
import { defaultScope, type Scope, type Workspaces } from "../../modules/identity/index.ts";

/** The workspace a request names in its header, or `default`. Throws for one that is not there. */
export type ScopeOf = (request: FastifyRequest) => Scope | Promise<Scope>;

const HEADER = "x-mlflow-workspace";

export const createScopeOf =
  (workspaces: Workspaces): ScopeOf =>
  (request) => {
    const header = request.headers[HEADER];
    if (header === undefined) return defaultScope;
    const name = String(header).trim();
    return name === "" ? defaultScope : workspaces.scopeOf(name);
  };
