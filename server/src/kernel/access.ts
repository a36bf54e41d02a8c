/**
 * What a caller must be allowed to do to reach an endpoint. Every endpoint of every protocol
 * states one; registering a route without it is an error at start (`kernel/http.ts`).
 */
export type Resource =
  | "experiment"
  | "run"
  | "logged_model"
  | "dataset"
  | "artifact"
  | "registered_model"
  | "trace"
  | "scorer"
  | "gateway"
  | "workspace"
  | "webhook"
  | "bucket"
  | "principal"
  | "role"
  | "audit"
  | "server";

/** In this order: who may do one may do those before it. */
export type Action = "read" | "use" | "edit" | "manage";

export type Access =
  /** No principal is needed: liveness, version, the login page. */
  | { kind: "public" }
  /** Whoever is somebody: one's own user, password, keys, sessions. */
  | { kind: "login" }
  /**
   * Decided in two steps. Before the body is read: there is a principal, and its credential may do such a thing at
   * all. Then the endpoint asks for the very objects that the request names; one that answers without having asked
   * is answered 500 instead (`kernel/http.ts`).
   */
  | { kind: "needs"; action: Action; resource: Resource };

export const publicAccess: Access = { kind: "public" };
export const loginAccess: Access = { kind: "login" };
export const reads = (resource: Resource): Access => ({ kind: "needs", action: "read", resource });
export const uses = (resource: Resource): Access => ({ kind: "needs", action: "use", resource });
export const edits = (resource: Resource): Access => ({ kind: "needs", action: "edit", resource });
export const manages = (resource: Resource): Access => ({ kind: "needs", action: "manage", resource });
