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
  | "pipeline"
  | "stack"
  | "principal"
  | "role"
  | "audit"
  | "server";

/** Above all workspaces: who may do what with these is decided before a request is read. */
const platformResources = ["server", "principal", "audit"] as const;
type PlatformResource = (typeof platformResources)[number];

export const isOfPlatform = (resource: Resource): resource is PlatformResource =>
  platformResources.some((one) => one === resource);

/** In this order: who may do one may do those before it. */
export type Action = "read" | "use" | "edit" | "manage";

export type Access<R extends Resource = Resource> =
  /** No principal is needed: liveness, version, the login page. */
  | { kind: "public" }
  /** Whoever is somebody: one's own user, password, keys, sessions. */
  | { kind: "login" }
  /**
   * Decided in two steps. Before the body is read: there is a principal, and its credential may do such a thing at
   * all. Then the endpoint asks for the very objects that the request names; one that answers without having asked
   * is answered 500 instead (`kernel/http.ts`).
   */
  | NeedsAccess<R>;

type NeedsAccess<R extends Resource> = { kind: "needs"; action: Action; resource: R };

/** What is decided by the principal alone, and what by the objects that a request names. */
export type AccessBefore = Access<PlatformResource>;
export type AccessToObjects = NeedsAccess<Exclude<Resource, PlatformResource>>;

const to =
  (action: Action) =>
  <R extends Resource>(resource: R): NeedsAccess<R> => ({ kind: "needs", action, resource });

/**
 * Whether what is done outlasts the credential it is done with: other credentials, and rights. That is asked for with
 * credentials as they are now, where others may be two seconds old.
 */
export const outlastsCredential = (access: Access, method: string): boolean =>
  method !== "GET" &&
  method !== "HEAD" &&
  (access.kind === "login" ||
    (access.kind === "needs" && (access.resource === "principal" || access.resource === "role")));

export const publicAccess = { kind: "public" } as const;
export const loginAccess = { kind: "login" } as const;
export const reads = to("read");
export const uses = to("use");
export const edits = to("edit");
export const manages = to("manage");
