import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { isPlatformAdmin, type Caller } from "../../kernel/caller.ts";
import { invalidParameter, invalidState, permissionDenied } from "../../kernel/errors.ts";
import type { Identity, Scope } from "../../modules/identity/index.ts";

/** What was sent, as its schema says; fields that it does not know are refused by name. */
export function read<T>(schema: z.ZodType<T>, given: unknown): T {
  const result = schema.safeParse(given ?? {});
  if (result.success) return result.data;
  throw invalidParameter(z.prettifyError(result.error));
}

/** Only for administrators of the whole platform. */
export function requirePlatformAdmin(request: FastifyRequest): void {
  if (!isPlatformAdmin(request.caller)) throw permissionDenied("Permission denied");
  request.decided = true;
}

/** Only for those who say who may do what in the workspace. */
export async function enterAsAdmin(
  request: FastifyRequest,
  { enter, renew }: Pick<Identity, "enter" | "renew">,
  workspace: string,
): Promise<Scope> {
  const known = await enter(request.caller, workspace);
  // Another process may have made the caller one a moment ago.
  const scope = known.policy.isAdmin ? known : await renew(known);
  if (!scope.policy.isAdmin) throw permissionDenied("Permission denied");
  request.decided = true;
  return scope;
}

/** The user or service account that asks. The administrator of an open server is none, and has nothing of its own. */
export function requireOwnRow({ principal }: Caller): { principalId: number } {
  if (principal !== undefined && principal.kind !== "local") return { principalId: principal.principalId };
  throw invalidState(
    "You are the local administrator, who has no password, keys or devices: make a user, and log in as that one.",
  );
}

/** The next page's token, where there is one. */
export const pageToken = (token: string | undefined): { next_page_token?: string } =>
  token === undefined ? {} : { next_page_token: token };

/** Without the fields that are undefined, which `exactOptionalPropertyTypes` tells from those not given. */
export function given<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}
