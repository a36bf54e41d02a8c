import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { loginAccess, publicAccess } from "../../kernel/access.ts";
import { anonymous, type Caller } from "../../kernel/caller.ts";
import { PlinthError } from "../../kernel/errors.ts";
import {
  toPrincipal,
  type Identity,
  type PolledOutcome,
  type TokenClaims,
} from "../../modules/identity/index.ts";
import { checkAfresh, issueApiToken, TOKEN_SECONDS, type ApiTokenOptions } from "./api-tokens.ts";
import { endpoint, type ZenmlEndpoint } from "./endpoint.ts";
import { credentialsNotValid, oauthError, plainBadRequest, type OAuthErrorCode } from "./errors.ts";

export type LoginOptions = Omit<ApiTokenOptions, "identity"> & {
  identity: Pick<Identity, "authenticate" | "readChanges" | "principals" | "tokens" | "devices" | "audit">;
};

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
export function loginEndpoints(options: LoginOptions): ZenmlEndpoint[] {
  const { identity, now } = options;
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
      handle: ({ query, request }) => issueApiToken(options, { query, request }),
    }),
  ];
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
