import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair } from "jose";
import { Provider } from "oidc-provider";

export type Account = Readonly<Record<string, unknown>>;

/** A real OpenID Connect provider, whose login is decided by `account`. */
export type TestProvider = AsyncDisposable & {
  issuer: string;
  /** By subject. */
  accounts: Map<string, Account>;
  /** Who is at the keyboard; undefined: somebody who declines. */
  account: string | undefined;
  /** Goes through the provider from `url`, as a browser, until it leads back to the site; answers that address. */
  visit(url: string): Promise<string>;
};

export const CLIENT = { id: "plinth", secret: "a secret of the provider's client" };

export async function startProvider(site: string): Promise<TestProvider> {
  const handler: { answer?: (request: IncomingMessage, response: ServerResponse) => Promise<void> | void } =
    {};
  const server = createServer((request, response) => void handler.answer?.(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  const accounts = new Map<string, Account>();
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        redirect_uris: [`${site}/plinth/sso/callback`],
        post_logout_redirect_uris: [`${site}/plinth/logged-out`],
      },
    ],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: "RS256", use: "sig", kid: "first" }] },
    cookies: { keys: ["of the test"] },
    scopes: ["openid", "profile", "email", "groups"],
    claims: {
      openid: ["sub"],
      profile: ["name", "preferred_username"],
      email: ["email", "email_verified"],
      groups: ["groups", "realm"],
    },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ ...accounts.get(sub), sub }) }),
    // Nobody is asked whether Plinth may know these.
    async loadExistingGrant(context) {
      const { session, client, params } = context.oidc;
      const grant = new provider.Grant({
        clientId: client?.clientId ?? "",
        accountId: session?.accountId ?? "",
      });
      grant.addOIDCScope(String(params?.["scope"]));
      await grant.save();
      return grant;
    },
  });
  const callback = provider.callback();
  const started: TestProvider = {
    issuer,
    accounts,
    account: undefined,
    async visit(url) {
      const cookies = new Map<string, string>();
      let at = url;
      for (let step = 0; step < 10 && at.startsWith(issuer); step += 1) {
        const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
        const answer = await fetch(at, { redirect: "manual", headers: { cookie } });
        for (const line of answer.headers.getSetCookie()) {
          const [name = "", ...value] = (line.split(";")[0] ?? "").split("=");
          cookies.set(name, value.join("="));
        }
        const location = answer.headers.get("location");
        if (location === null) throw new Error(`the provider shows ${answer.status}: ${await answer.text()}`);
        at = new URL(location, at).href;
      }
      return at;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  handler.answer = async (request, response) => {
    if (request.url?.startsWith("/interaction/") !== true) return callback(request, response);
    const { account } = started;
    const result =
      account === undefined ? { error: "access_denied" } : { login: { accountId: account, remember: false } };
    return provider.interactionFinished(request, response, result);
  };
  return started;
}
