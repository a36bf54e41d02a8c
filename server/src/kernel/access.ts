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
  | "server";

export type Action = "read" | "edit" | "manage";

export type Access =
  /** No principal is needed: liveness, version, the landing page. */
  { kind: "public" } | { kind: "needs"; action: Action; resource: Resource };

export const publicAccess: Access = { kind: "public" };
export const reads = (resource: Resource): Access => ({ kind: "needs", action: "read", resource });
export const edits = (resource: Resource): Access => ({ kind: "needs", action: "edit", resource });
export const manages = (resource: Resource): Access => ({ kind: "needs", action: "manage", resource });
