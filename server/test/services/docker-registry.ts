import { basicOf, startService, type Service } from "./service.ts";

type Login = { username: string; password: string };

/** A registry that takes the password itself, or one that sends its clients for a token first, as Docker Hub does. */
export const startDockerRegistry = (login: Login, by: "basic" | "token"): Promise<Service> =>
  startService(({ url, headers }, { url: own }) => {
    const isKnown = headers.authorization === basicOf(login.username, login.password);
    if (url.pathname === "/token") {
      const isFor =
        url.searchParams.get("service") === "registry" && url.searchParams.get("account") === login.username;
      return isKnown && isFor
        ? { body: { token: "registry-token" } }
        : { status: 401, body: { details: "no" } };
    }
    if (url.pathname !== "/v2/") return { status: 404 };
    if (by === "basic") {
      return isKnown
        ? { body: {} }
        : { status: 401, headers: { "www-authenticate": 'Basic realm="registry"' } };
    }
    if (headers.authorization === "Bearer registry-token") return { body: {} };
    const challenge = `Bearer realm="${own}/token",service="registry"`;
    return { status: 401, headers: { "www-authenticate": challenge } };
  });
