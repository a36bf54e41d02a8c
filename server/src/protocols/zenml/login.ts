import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { loginAccess, publicAccess } from "../../kernel/access.ts";
import { anonymous, type Caller } from "../../kernel/caller.ts";
import { invalidParameter, permissionDenied, PlinthError, unauthenticated } from "../../kernel/errors.ts";
import {
  MAX_TOKEN_SECONDS,
  toPrincipal,
  type Identity,
  type PolledOutcome,
  type TokenClaims,
} from "../../modules/identity/index.ts";
import { endpoint, type ZenmlEndpoint } from "./endpoint.ts";
import { credentialsNotValid, oauthError, plainBadRequest, type OAuthErrorCode } from "./errors.ts";

export type LoginOptions = {
  identity: Pick<Identity, "authenticate" | "readChanges" | "principals" | "tokens" | "devices" | "audit">;
  /** Milliseconds since 1970. */
  now(): number;
};

/**
 * ZenML's Terraform provider takes a token for expired 300 s before its time, and logs in before every request when
 * there is no time at all; the clients log in anew by themselves, but for those that a person let in.
 */
const TOKEN_SECONDS = 3600;

const loginForm = z.object({
  grant_type: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  client_id: z.string().optional(),
  device_code: z.string().optional(),
});
type LoginForm = z.infer<typeof loginForm>;

const deviceForm = z.object({ client_id: z.guid() });

const LOGIN = { action: "login", resource_type: "principal" } as const;

const DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code";

type Granted = { claims: TokenClaims; caller: Caller; checkedAt: number; expiresInSeconds: number };

/** No cookie is set: it would be for ZenML's own dashboard, and the clients send the token. */
export function loginEndpoints({ identity, now }: LoginOptions): ZenmlEndpoint[] {
  const { principals, tokens, devices, audit } = identity;

  const byPassword = async (username: string, password: string, { ip }: FastifyRequest): Promise<Granted> => {
    const checkedAt = now();
    const row = await principals.checkPassword(username, password, { address: ip });
    if (row === undefined) throw credentialsNotValid("The username or the password is wrong.");
    return {
      claims: { sub: row.uuid },
      caller: { principal: toPrincipal(row), credential: { kind: "password" }, address: ip },
      checkedAt,
      expiresInSeconds: TOKEN_SECONDS,
    };
  };

  const byApiKey = async (key: string, request: FastifyRequest): Promise<Granted> => {
    const { method, ip, url, site } = request;
    const wrong = credentialsNotValid("The API key is not valid.");
    // No text that a header could not carry is a key.
    if (!/^[\x21-\x7e]+$/.test(key)) throw wrong;
    const headers = { authorization: `Bearer ${key}` };
    const { caller, checkedAt } = await checkAfresh(
      { identity, now },
      { headers, method, ip, url, site },
    ).catch((error: unknown) => {
      throw error instanceof PlinthError && error.code === "unauthenticated" ? wrong : error;
    });
    const { principal, credential } = caller;
    if (principal === undefined || credential.kind !== "api_key" || credential.id === undefined) throw wrong;
    return {
      claims: { sub: principal.uuid, api_key_id: credential.id },
      caller,
      checkedAt,
      expiresInSeconds: TOKEN_SECONDS,
    };
  };

  const byDevice = async (
    { client_id, device_code }: LoginForm,
    { ip }: FastifyRequest,
  ): Promise<Granted> => {
    if (client_id === undefined || !z.guid().safeParse(client_id).success || device_code === undefined) {
      throw plainBadRequest("A login by device needs client_id, a UUID, and device_code.");
    }
    const checkedAt = now();
    const polled = await devices.pollDevice(client_id, device_code);
    if (polled.outcome !== "granted") throw waiting(polled.outcome, client_id);
    const { device, principalUuid } = polled;
    return {
      claims: { sub: principalUuid, device_id: device.device_id },
      caller: {
        ...anonymous(ip),
        principal: await principals
          .findPrincipal({ uuid: principalUuid })
          .then((row) => row && toPrincipal(row)),
        credential: { kind: "token", id: device.device_id },
      },
      checkedAt,
      expiresInSeconds: Math.floor((device.expires_at - checkedAt) / 1000),
    };
  };

  const grant = (form: LoginForm, request: FastifyRequest): Promise<Granted> => {
    const { username, password } = form;
    const inferred = username === undefined && password !== undefined ? "zenml-api-key" : "password";
    switch (form.grant_type ?? inferred) {
      case "password":
        if (username === undefined || username === "") {
          throw plainBadRequest("A login by password needs a username.");
        }
        return byPassword(username, password ?? "", request);
      case "zenml-api-key":
        if (password === undefined || password === "") {
          throw plainBadRequest("A login by API key needs the key as password.");
        }
        return byApiKey(password, request);
      case DEVICE_GRANT:
        return byDevice(form, request);
      default:
        throw plainBadRequest(`This server does not take the grant type ${form.grant_type ?? ""}.`);
    }
  };

  return [
    endpoint({
      method: "POST",
      path: "/login",
      access: publicAccess,
      form: true,
      body: loginForm,
      async handle({ body, request }) {
        const method = body.grant_type ?? "inferred";
        const granted = await Promise.resolve()
          .then(() => grant(body, request))
          .catch((error: unknown) => {
            if (error instanceof PlinthError && error.code === "unauthenticated") {
              audit.recordDenied(anonymous(request.ip), {
                ...LOGIN,
                resource_id: body.username ?? "",
                outcome: "failed",
                details: { protocol: "zenml", method },
              });
            }
            throw error;
          });
        const { claims, caller, checkedAt, expiresInSeconds } = granted;
        const issued = await tokens.issueToken(claims, { expiresInSeconds, checkedAt });
        await audit.record(caller, {
          ...LOGIN,
          resource_id: caller.principal?.name ?? "",
          outcome: "allowed",
          details: { protocol: "zenml", method },
        });
        return {
          access_token: issued.token,
          token_type: "bearer",
          expires_in: issued.expiresInSeconds,
          refresh_token: null,
          csrf_token: null,
          scope: null,
          device_id: claims.device_id ?? null,
          device_metadata: null,
        };
      },
    }),
    // Tokens end by themselves, and cookies there are none.
    endpoint({ method: "GET", path: "/logout", access: publicAccess, handle: () => null }),
    endpoint({
      method: "POST",
      path: "/device_authorization",
      access: publicAccess,
      form: true,
      body: deviceForm,
      async handle({ body, request }) {
        const about = { address: request.ip, ...readAgent(request.headers["user-agent"] ?? "") };
        const started = await devices.startDevice(body.client_id, about);
        const { device, userCode } = started;
        const query = new URLSearchParams({ device_id: device.device_id, user_code: userCode });
        return {
          device_code: started.deviceCode,
          user_code: userCode,
          // The clients put their own address of the server before it.
          verification_uri: "/devices/verify",
          verification_uri_complete: `/devices/verify?${query.toString()}`,
          expires_in: started.expiresInSeconds,
          interval: started.intervalSeconds,
        };
      },
    }),
    endpoint({
      method: "GET",
      path: "/api_token",
      access: loginAccess,
      async handle({ query, request }) {
        request.subject = { resourceType: "token", reveals: true };
        const { caller, checkedAt } = await checkAfresh({ identity, now }, request);
        const claims = await claimsFor(caller, tokens, request);
        const workload = ["schedule_id", "pipeline_run_id", "deployment_id"].filter((name) => name in query);
        const type = query["token_type"] ?? "generic";
        if (type === "workload") throw noWorkload(workload);
        if (type !== "generic") throw invalidParameter("token_type must be generic or workload.");
        if (workload.length > 0) throw invalidParameter(`A generic token has no ${workload.join(", ")}.`);
        if (claims.generic === true) {
          throw permissionDenied("A token that was made on demand makes no others: log in.");
        }
        const expiresInSeconds = readLifetime(query["expires_in"]);
        const issued = await tokens.issueToken({ ...claims, generic: true }, { expiresInSeconds, checkedAt });
        return issued.token;
      },
    }),
  ];
}

/**
 * Who sends the request, by nothing that has ended meanwhile on another process: what is remembered may be two
 * seconds old, and a token must not carry a key that was just taken away on for hours.
 */
async function checkAfresh(
  { identity, now }: LoginOptions,
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
): Promise<TokenClaims> {
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
      const { iat: _iat, exp: _exp, ...kept } = claims;
      return kept;
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

function noWorkload(given: readonly string[]): PlinthError {
  return invalidParameter(
    given.length === 0
      ? "A workload token is for a schedule, a pipeline run or a deployment: name one."
      : "A workload token is for what exists: there is no such schedule, pipeline run or deployment.",
  );
}

const descriptions = {
  pending: ["authorization_pending", "has not been let in yet"],
  slow_down: ["slow_down", "asks more often than every 5 seconds"],
  expired: ["expired_token", "waited too long, or has logged in with this code already"],
  denied: ["access_denied", "was refused"],
  unknown: ["invalid_grant", "has no such code"],
} as const satisfies Record<Exclude<PolledOutcome["outcome"], "granted">, readonly [OAuthErrorCode, string]>;

function waiting(outcome: keyof typeof descriptions, clientId: string): PlinthError {
  const [code, what] = descriptions[outcome];
  return oauthError(code, `The device with client ID ${clientId} ${what}.`);
}

/** `Host/laptop ZenML/0.98.0 Python/3.11.7 OS/Linux`, as the clients say when they ask to be let in. */
function readAgent(agent: string): {
  hostname?: string;
  os?: string;
  pythonVersion?: string;
  clientVersion?: string;
} {
  const names = { Host: "hostname", ZenML: "clientVersion", Python: "pythonVersion", OS: "os" } as const;
  const about: Partial<Record<(typeof names)[keyof typeof names], string>> = {};
  for (const word of agent.trim().split(" ")) {
    const separator = word.indexOf("/");
    const name = word.slice(0, Math.max(separator, 0));
    if (Object.hasOwn(names, name)) about[names[name as keyof typeof names]] = word.slice(separator + 1);
  }
  return about;
}
