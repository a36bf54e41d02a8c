import { invalidParameter } from "../../../kernel/errors.ts";
import { AuthorizationFailure, optionalText, textOf, type HttpAnswer, type OpenDriver } from "./connector.ts";
import { basic, bearer, textIn } from "./http.ts";

const HUB = "docker.io";
const FORM = /^(?:(https?):\/\/)?([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*(?::\d{1,5})?)(?:\/.*)?$/;

type Registry = { id: string; scheme: string | undefined };

/** The host of a registry. Throws `invalid_parameter` for what is none. */
function registryOf(given: string): Registry {
  const [, scheme, host] = FORM.exec(given) ?? [];
  if (host === undefined) {
    throw invalidParameter(
      `Invalid resource ID for a Docker registry: ${given}. Please provide docker.io, or ` +
        "http[s]://host[:port][/<repository-name>]",
    );
  }
  return { id: host === `index.${HUB}` ? HUB : host, scheme };
}

export const checkRegistry = (given: string): string => registryOf(given).id;

/** Docker itself speaks plain http to its own machine, and https to all others. */
const isLocal = (host: string): boolean => /^(?:localhost|127\.\d+\.\d+\.\d+)(?::\d+)?$/.test(host);

/**
 * A registry that speaks the protocol of Docker's (https://distribution.github.io/distribution/spec/api/). ZenML's own
 * server takes its word for it; this one logs in, with the password itself or for a token, as the registry asks.
 */
export const openDocker: OpenDriver = ({ configuration }, { http, places }) => {
  const registry = registryOf(optionalText(configuration, "registry") ?? HUB);
  const scheme = registry.scheme ?? (isLocal(registry.id) ? "http" : "https");
  const base = registry.id === HUB ? places.dockerHub : `${scheme}://${registry.id}`;
  const username = textOf(configuration, "username");
  const password = textOf(configuration, "password");

  const refused = (answer: HttpAnswer): AuthorizationFailure =>
    new AuthorizationFailure(
      answer.status === 401 || answer.status === 403
        ? `the registry ${registry.id} refuses the user name and password`
        : `the registry ${registry.id} answers ${answer.status}`,
    );

  const login = async (): Promise<void> => {
    const asked = await http({ url: `${base}/v2/` });
    const challenge = String(asked.headers["www-authenticate"] ?? "");
    if (asked.status !== 401) {
      if (asked.status === 200) return;
      throw new AuthorizationFailure(`${registry.id} is no registry: /v2/ answers ${asked.status}`);
    }
    const realm = /^bearer /i.test(challenge) ? parameter(challenge, "realm") : undefined;
    const authorization =
      realm === undefined
        ? basic(username, password)
        : bearer(await exchange(realm, parameter(challenge, "service"))).authorization;
    const answer = await http({ url: `${base}/v2/`, headers: { authorization } });
    if (answer.status !== 200) throw refused(answer);
  };

  /** https://distribution.github.io/distribution/spec/auth/token/ */
  const exchange = async (realm: string, service: string | undefined): Promise<string> => {
    if (!URL.canParse(realm)) throw new AuthorizationFailure(`${registry.id} names no address for tokens`);
    const url = new URL(realm);
    // The password goes nowhere in the clear that was not asked for by the registry in the clear.
    if (scheme === "https" && url.protocol !== "https:") {
      throw new AuthorizationFailure(`${registry.id} asks for the password without encryption`);
    }
    url.searchParams.set("account", username);
    if (service !== undefined) url.searchParams.set("service", service);
    const answer = await http({ url: url.href, headers: { authorization: basic(username, password) } });
    const token = textIn(answer.json(), "token") ?? textIn(answer.json(), "access_token");
    if (answer.status !== 200 || token === undefined) throw refused(answer);
    return token;
  };

  return {
    canonicalId: (_type, id) => checkRegistry(id),
    defaultId: () => registry.id,
    async verify(_type, id) {
      await login();
      return id === undefined ? [] : [id];
    },
  };
};

/** Of a challenge such as `Bearer realm="https://auth.example.org/token",service="registry"`. */
const parameter = (challenge: string, name: string): string | undefined =>
  new RegExp(`[ ,]${name}="([^"]*)"`, "i").exec(challenge)?.[1];
