import type { FastifyInstance } from "fastify";
import type { ServerStatus } from "@plinth/contract";
import { publicAccess } from "../../kernel/access.ts";
import { unauthenticated } from "../../kernel/errors.ts";
import type { Identity } from "../../modules/identity/index.ts";
import { registerAccount, type AccountIdentity } from "./account-routes.ts";
import { registerDevices } from "./device-routes.ts";
import { parseForms } from "./form.ts";
import { landingPage } from "./landing-page.ts";
import { registerLogin, type LoginIdentity } from "./login-routes.ts";
import { beside, callerOf } from "./page-requests.ts";
import { sendPage } from "./page.ts";
import { registerSignUp, SIGN_UP, SIGN_UP_FORM } from "./sign-up-routes.ts";
import { registerSingleSignOn, type Provider } from "./single-sign-on.ts";

export type PagesOptions = {
  identity: LoginIdentity & AccountIdentity & Pick<Identity, "principals">;
  /** Undefined where people log in with passwords alone. */
  provider: Provider | undefined;
  /** Whether Plinth's page stands at `/` as well as at `/plinth`: not where MLflow's web UI is served. */
  atRoot: boolean;
  status(): ServerStatus;
};

/** Whether what is at this address answers in HTML, errors too. */
export const isPage = (url: string): boolean =>
  /^\/(?:plinth|devices\/verify)(?:[/?]|$)/.test(url) ||
  [SIGN_UP, SIGN_UP_FORM].includes(url.split("?", 1)[0] ?? "");

/** What people open in a browser until there is a dashboard: the first page, login, account, devices. */
export async function registerPages(app: FastifyInstance, options: PagesOptions): Promise<void> {
  const { identity, provider } = options;
  await app.register((scope, _options, done) => {
    parseForms(scope);
    for (const path of options.atRoot ? ["/", "/plinth"] : ["/plinth"]) {
      // Anybody may ask for it, to be sent to the login; what runs here is for those who are somebody.
      scope.get(path, { config: { access: publicAccess, protocol: "console" } }, async (request, reply) => {
        const caller = await callerOf(request, identity);
        if (caller.principal === undefined) throw unauthenticated();
        const shown = { hasWebUi: !options.atRoot, beside: beside(request, reply, caller) };
        return sendPage(reply, landingPage(options.status(), request.site, shown));
      });
    }
    registerLogin(scope, { identity, provider });
    registerAccount(scope, identity);
    registerDevices(scope, identity);
    registerSignUp(scope, identity);
    if (provider !== undefined) registerSingleSignOn(scope, { identity, provider });
    done();
  });
}
