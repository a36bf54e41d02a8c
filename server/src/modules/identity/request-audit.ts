import type { FastifyReply, FastifyRequest } from "fastify";
import type { Access, Resource } from "../../kernel/access.ts";
import type { PlinthError } from "../../kernel/errors.ts";
import type { Audit, AuditEvent } from "./audit.ts";

/** Which requests are in the audit log besides logins, refusals and what concerns identity itself. */
export const auditLevels = ["manage", "changes", "all"] as const;
export type AuditLevel = (typeof auditLevels)[number];

export type RequestAudit = {
  /** Before an answer leaves: resolves when the event is on the disk; undefined where there is none. */
  onAnswer(request: FastifyRequest, reply: FastifyReply): Promise<void> | undefined;
  onRefused(request: FastifyRequest, error: PlinthError): void;
};

/** Whoever changes these changes who may do what, or where secrets go. */
const SENSITIVE: ReadonlySet<Resource> = new Set([
  "principal",
  "role",
  "workspace",
  "webhook",
  "audit",
  "server",
]);

export function createRequestAudit({
  audit,
  level,
  isProtected,
}: {
  audit: Pick<Audit, "record" | "recordDenied">;
  level: AuditLevel;
  /** Whether all changes and reads of artifacts of a workspace are recorded. */
  isProtected(workspace: string): boolean;
}): RequestAudit {
  const isRecorded = (request: FastifyRequest, access: Access): boolean => {
    const { subject, method } = request;
    if (level === "all" || subject?.reveals === true) return true;
    const asks = method === "GET" || method === "HEAD";
    if (access.kind !== "needs") return !asks;
    const inProtected = subject?.workspace !== undefined && isProtected(subject.workspace);
    if (access.resource === "artifact" && inProtected) return true;
    if (asks || access.action === "read" || access.action === "use") return false;
    return access.action === "manage" || level === "changes" || inProtected || SENSITIVE.has(access.resource);
  };

  return {
    onAnswer(request, reply) {
      const { access } = request.routeOptions.config;
      if (access === undefined || access.kind === "public" || reply.statusCode >= 400) return undefined;
      // Led to the login.
      if (request.caller.principal === undefined) return undefined;
      if (!isRecorded(request, access)) return undefined;
      return audit.record(request.caller, { ...eventOf(request), outcome: "allowed" });
    },
    onRefused(request, error) {
      if (error.code !== "permission_denied" && error.code !== "unauthenticated") return;
      // Many clients ask once without credentials, to be told which ones are wanted.
      const { principal, credential } = request.caller;
      if (error.code === "unauthenticated" && principal === undefined && credential.kind === "none") {
        // Wrong passwords are told with the name they were given for, where they are checked.
        if (request.headers.authorization?.startsWith("Bearer ") !== true) return;
        audit.recordDenied(request.caller, { action: "login", outcome: "failed" });
        return;
      }
      audit.recordDenied(request.caller, eventOf(request));
    },
  };
}

function eventOf(request: FastifyRequest): Omit<AuditEvent, "outcome"> {
  const { subject } = request;
  return {
    action: actionOf(request.method, request.routeOptions.url ?? ""),
    ...(subject?.resourceType === undefined ? {} : { resource_type: subject.resourceType }),
    ...(subject?.resourceId === undefined ? {} : { resource_id: subject.resourceId }),
    ...(subject?.workspace === undefined ? {} : { workspace: subject.workspace }),
    details: { ...subject?.details, request_id: request.id, method: request.method },
  };
}

const verbs: Readonly<Record<string, string>> = {
  GET: "read",
  HEAD: "read",
  POST: "create",
  PUT: "update",
  PATCH: "update",
  DELETE: "delete",
};

/** `experiments.delete` of MLflow's `/api/2.0/mlflow/experiments/delete`, `users.update` of `PATCH .../users/:name`. */
export function actionOf(method: string, route: string): string {
  const parts = route.split("/").filter((part) => part !== "" && !part.startsWith(":") && part !== "*");
  const first = parts.findIndex((part) => !BEFORE.test(part));
  const words = first === -1 ? parts : parts.slice(first);
  const isCall = /^\/(?:ajax-)?api\/\d\.0\/mlflow\//.test(route) && words.length > 1;
  return [...words, ...(isCall ? [] : [verbs[method] ?? method.toLowerCase()])].join(".");
}

/** What of an address says nothing about the deed. */
const BEFORE = /^(?:api|ajax-api|console|mlflow|mlflow-artifacts|v\d+|\d\.0)$/;
