import type { FastifyRequest } from "fastify";
import type { Caller } from "../../kernel/caller.ts";
import { invalidParameter, permissionDenied, PlinthError, unauthenticated } from "../../kernel/errors.ts";
import {
  MAX_TOKEN_SECONDS,
  MAX_WORKLOAD_SECONDS,
  type Identity,
  type ReadClaims,
  type TokenClaims,
} from "../../modules/identity/index.ts";
import { isUuid, type Projects, type Workload, type Workloads } from "../../modules/pipelines/index.ts";
import type { ZenmlAccess } from "./access.ts";
import { credentialsNotValid, invalidRequest, ZenmlError } from "./errors.ts";
import { hyphenated } from "./fields.ts";

export type ApiTokenOptions = {
  identity: Pick<Identity, "authenticate" | "readChanges" | "tokens">;
  access: Pick<ZenmlAccess, "enterProject">;
  projects: Pick<Projects, "of">;
  workloads: Workloads;
  /** Milliseconds since 1970. */
  now(): number;
};

type Asked = { query: Readonly<Record<string, string>>; request: FastifyRequest };

/**
 * ZenML's Terraform provider takes a token for expired 300 s before its time, and logs in before every request when
 * there is no time at all; the clients log in anew by themselves, but for those that a person let in.
 */
export const TOKEN_SECONDS = 3600;

const scopes = ["schedule_id", "pipeline_run_id", "deployment_id"] as const;

/**
 * A token made on demand of who is logged in: for a time (`generic`), or as long as a pipeline run, schedule or
 * deployment is there (`workload`). It is bound to all that the request was let in by, and so may no more than that.
 */
export async function issueApiToken(options: ApiTokenOptions, { query, request }: Asked): Promise<string> {
  request.subject = { resourceType: "token", reveals: true };
  const { caller, checkedAt } = await checkAfresh(options, request);
  const { exp, iat: _iat, ...claims } = await claimsFor(caller, options.identity.tokens, request);
  const wanted = readWorkload(query);
  const type = query["token_type"] ?? "generic";
  if (type === "workload") {
    const workload = await checkWorkload(options, { claims, wanted, request });
    const left = exp === undefined ? Infinity : Math.floor(exp - checkedAt / 1000);
    // Who has a token for a time gets none for longer.
    const expiresInSeconds = Math.min(
      MAX_WORKLOAD_SECONDS,
      claims.generic === true ? left : MAX_WORKLOAD_SECONDS,
    );
    return issue(options, { ...claims, ...workload }, { expiresInSeconds, checkedAt });
  }
  if (type !== "generic") throw invalidParameter("token_type must be generic or workload.");
  const given = Object.keys(wanted);
  if (given.length > 0) throw invalidParameter(`A generic token has no ${given.join(", ")}.`);
  if (claims.generic === true) {
    throw permissionDenied("A token that was made on demand makes no others: log in.");
  }
  const expiresInSeconds = readLifetime(query["expires_in"]);
  return issue(options, { ...claims, generic: true }, { expiresInSeconds, checkedAt });
}

async function issue(
  { identity }: ApiTokenOptions,
  claims: TokenClaims,
  about: { expiresInSeconds: number; checkedAt: number },
): Promise<string> {
  return (await identity.tokens.issueToken(claims, about)).token;
}

function readWorkload(query: Asked["query"]): Workload {
  const entries = scopes.flatMap((name) => {
    const value = query[name];
    if (value === undefined || value === "") return [];
    if (!isUuid(value)) {
      throw invalidRequest([
        { type: "uuid_parsing", loc: ["query", name], msg: "Input should be a valid UUID" },
      ]);
    }
    return [[name, hyphenated(value)] as const];
  });
  return Object.fromEntries(entries);
}

const names = {
  schedule_id: "schedule",
  pipeline_run_id: "pipeline run",
  deployment_id: "deployment",
} as const;

/** What the token will be bound to, which the caller may use. A token that is bound already stays so. */
async function checkWorkload(
  { access, projects, workloads }: ApiTokenOptions,
  { claims, wanted, request }: { claims: TokenClaims; wanted: Workload; request: FastifyRequest },
): Promise<Workload> {
  const bound: Partial<Record<(typeof scopes)[number], string>> = {};
  for (const scope of scopes) {
    const id = wanted[scope] ?? claims[scope];
    if (id !== undefined) bound[scope] = id;
  }
  if (Object.keys(bound).length === 0) {
    throw invalidParameter("Workload API tokens must be scoped to a schedule, pipeline run or deployment.");
  }
  const state = await workloads.read(bound);
  for (const scope of scopes) {
    const id = bound[scope];
    if (id === undefined) continue;
    const workspaceId = state.workspaces[scope];
    if (workspaceId === undefined) throw noWorkload(scope, id);
    const { projectId } = await projects.of(workspaceId);
    await access.enterProject(request, projectId, "use").catch((error: unknown) => {
      throw error instanceof PlinthError && error.code === "not_found" ? noWorkload(scope, id) : error;
    });
    const held = claims[scope];
    const isOfRoot = scope === "pipeline_run_id" && held === state.rootRunId;
    if (held !== undefined && held !== id && !isOfRoot) throw otherScope(scope, { id, held });
  }
  if (bound.schedule_id !== undefined && !state.isScheduleActive) {
    throw invalidParameter(
      `Schedule ${bound.schedule_id} is not active and API tokens cannot be generated for inactive schedules.`,
    );
  }
  if (bound.pipeline_run_id !== undefined && !state.isInProgress) {
    throw invalidParameter(
      `The execution of pipeline run ${bound.pipeline_run_id} has already concluded and API tokens can no longer be ` +
        "generated for it.",
    );
  }
  return bound;
}

const noWorkload = (scope: keyof typeof names, id: string): PlinthError =>
  invalidParameter(
    `The ${names[scope]} ${id} does not exist and API tokens cannot be generated for what does not exist.`,
  );

function otherScope(scope: keyof typeof names, { id, held }: { id: string; held: string }): ZenmlError {
  const message =
    `Unable to scope API token to ${names[scope]} ${id}. The token used to authorize this request is already scoped ` +
    `to ${names[scope]} ${held}.`;
  return new ZenmlError("permission_denied", message, {
    status: 401,
    body: { detail: ["AuthorizationException", message] },
  });
}

/**
 * Who sends the request, by nothing that has ended meanwhile on another process: what is remembered may be two
 * seconds old, and a token must not carry a key that was just taken away on for hours.
 */
export async function checkAfresh(
  { identity, now }: Pick<ApiTokenOptions, "identity" | "now">,
  request: Parameters<Identity["authenticate"]>[0],
): Promise<{ caller: Caller; checkedAt: number }> {
  const checkedAt = now();
  await identity.readChanges();
  return { caller: await identity.authenticate(request), checkedAt };
}

/** A token that somebody asks for is bound to what the request was let in by, and so may no more than that. */
async function claimsFor(
  caller: Caller,
  tokens: Identity["tokens"],
  { headers }: FastifyRequest,
): Promise<TokenClaims & Partial<Pick<ReadClaims, "iat" | "exp">>> {
  const { principal, credential } = caller;
  if (principal === undefined) throw unauthenticated();
  const { uuid: sub } = principal;
  const { id } = credential;
  switch (credential.kind) {
    case "local":
    case "password":
      return { sub };
    case "api_key":
      return { sub, ...(id === undefined ? {} : { api_key_id: id }) };
    case "session":
      return { sub, ...(id === undefined ? {} : { session_id: id }) };
    case "token": {
      const claims = await tokens.readToken(headers.authorization?.replace(/^bearer +/i, "") ?? "");
      if (claims === undefined) throw credentialsNotValid("The token is not valid.");
      return claims;
    }
    default:
      throw permissionDenied(`No token is made of credentials of this kind: ${credential.kind}.`);
  }
}

function readLifetime(text: string | undefined): number {
  const seconds = text === undefined || text === "0" ? TOKEN_SECONDS : Number(text);
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > MAX_TOKEN_SECONDS) {
    throw invalidParameter(`expires_in must be a whole number of 1 to ${MAX_TOKEN_SECONDS} seconds.`);
  }
  return seconds;
}
