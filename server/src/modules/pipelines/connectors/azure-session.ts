import {
  AuthorizationFailure,
  notImplicit,
  once,
  optionalText,
  textOf,
  type Connector,
  type HttpAnswer,
  type Json,
  type Tools,
} from "./connector.ts";
import { bearer, formHeaders, isJson, objectsOf, reason, textIn } from "./http.ts";
import { readToken, type Token } from "./oauth2.ts";

const MANAGEMENT_SCOPE = "https://management.azure.com/.default";
const STORAGE_SCOPE = "https://storage.azure.com/.default";
const MAX_PAGES = 50;

/** A way into one subscription of Azure: what is asked for twice is asked once. Throws an `AuthorizationFailure`. */
export type AzureSession = {
  /** Tokens for the management of resources, and for what is in storage accounts. */
  management(): Promise<Token>;
  storage(): Promise<Token>;
  /** `what` says what fails where it does. */
  ask(path: string, what: string, http?: "GET" | "POST"): Promise<Json>;
  subscription(): Promise<{ id: string; name: string }>;
  /** Resources of the configured group, or of all. */
  inSubscription(provider: string, what: string): Promise<Json[]>;
  /** Containers with their storage accounts, one account after the other. */
  containers(): AsyncIterable<{ account: string; container: string }>;
};

export type AzureTools = Pick<Tools, "http" | "now" | "places">;

export function openAzureSession(
  { configuration, method, expiresAt }: Connector,
  tools: AzureTools,
): AzureSession {
  const { azure } = tools.places;
  const group = optionalText(configuration, "resource_group");

  const fetchToken = async (scope: string): Promise<Token> => {
    if (method.auth_method === "access-token") return { token: textOf(configuration, "token"), expiresAt };
    if (method.auth_method !== "service-principal") throw notImplicit();
    const form = {
      grant_type: "client_credentials",
      client_id: textOf(configuration, "client_id"),
      client_secret: textOf(configuration, "client_secret"),
      scope,
    };
    const answer = await tools.http({
      url: `${azure.login}/${encodeURIComponent(textOf(configuration, "tenant_id"))}/oauth2/v2.0/token`,
      method: "POST",
      headers: formHeaders,
      body: new URLSearchParams(form).toString(),
    });
    return readToken(answer, { now: tools.now(), what: "Failed to authenticate to Azure" });
  };
  const management = once(() => fetchToken(MANAGEMENT_SCOPE));
  const storage = once(() => fetchToken(STORAGE_SCOPE));

  const ask = async (path: string, what: string, http: "GET" | "POST" = "GET"): Promise<Json> => {
    const { token } = await management();
    const url = azure.management + path;
    const answer = await tools.http({ url, method: http, headers: bearer(token) });
    if (answer.status !== 200) throw azureFailure(what, answer);
    return answer.json();
  };

  const list = async (path: string, what: string): Promise<Json[]> => {
    const found: Json[] = [];
    let next: string | undefined = path;
    for (let at = 0; at < MAX_PAGES && next !== undefined && next !== ""; at += 1) {
      const page: Json = await ask(next, what);
      found.push(...objectsOf(page["value"]));
      const link = textIn(page, "nextLink");
      // What comes next is asked of the same service, with the same token.
      next =
        link?.startsWith(`${azure.management}/`) === true ? link.slice(azure.management.length) : undefined;
    }
    return found;
  };

  const subscription = once(async () => {
    const what = "failed to fetch the Azure subscription";
    const wanted = optionalText(configuration, "subscription_id");
    const found =
      wanted === undefined
        ? await list("/subscriptions?api-version=2022-12-01", what)
        : [await ask(`/subscriptions/${wanted}?api-version=2022-12-01`, what)];
    const [first] = found;
    if (first === undefined)
      throw new AuthorizationFailure("no Azure subscriptions found for the configured credentials.");
    if (found.length > 1) {
      throw new AuthorizationFailure(
        "multiple Azure subscriptions found for the configured credentials. Please configure the subscription ID " +
          "explicitly in the connector.",
      );
    }
    return { id: textIn(first, "subscriptionId") ?? "", name: textIn(first, "displayName") ?? "" };
  });

  const inSubscription = async (provider: string, what: string): Promise<Json[]> => {
    const { id } = await subscription();
    const found = await list(`/subscriptions/${id}/providers/${provider}`, what);
    return found.filter(
      (one) => group === undefined || groupNameOf(one).toLowerCase() === group.toLowerCase(),
    );
  };

  const accounts = async (): Promise<string[]> => {
    const account = optionalText(configuration, "storage_account");
    if (account !== undefined) return [account];
    const found = await inSubscription(
      "Microsoft.Storage/storageAccounts?api-version=2023-01-01",
      "failed to list available Azure storage accounts",
    );
    return found.flatMap((one) => textIn(one, "name") ?? []);
  };

  /** By pages of 5,000. */
  const containersOf = async (name: string): Promise<string[]> => {
    const { token } = await storage();
    const found: string[] = [];
    let marker = "";
    for (let at = 0; at < MAX_PAGES; at += 1) {
      const answer = await tools.http({
        url: `${azure.blob(name)}/?comp=list${marker === "" ? "" : `&marker=${encodeURIComponent(marker)}`}`,
        headers: { ...bearer(token), accept: "application/xml", "x-ms-version": "2021-08-06" },
      });
      if (answer.status !== 200) {
        throw new AuthorizationFailure(
          `failed to fetch Azure blob storage containers in the '${name}' storage account: the answer is ${answer.status}`,
        );
      }
      const names = answer.text.matchAll(/<Container><Name>([^<]*)<\/Name>/g);
      found.push(...[...names].map(([, one = ""]) => one));
      marker = /<NextMarker>([^<]+)<\/NextMarker>/.exec(answer.text)?.[1] ?? "";
      if (marker === "") break;
    }
    return found;
  };

  return {
    management,
    storage,
    ask,
    subscription,
    inSubscription,
    async *containers() {
      if (method.auth_method === "access-token") {
        throw new AuthorizationFailure(
          "the 'access-token' authentication method is not supported for blob storage resources",
        );
      }
      for (const account of await accounts()) {
        for (const container of await containersOf(account)) yield { account, container };
      }
    },
  };
}

/** `/subscriptions/<id>/resourceGroups/<group>/providers/...` */
export const groupNameOf = (resource: Json): string => textIn(resource, "id")?.split("/")[4] ?? "";

function azureFailure(what: string, answer: HttpAnswer): AuthorizationFailure {
  const error = answer.json()["error"];
  const said = isJson(error) ? textIn(error, "message") : undefined;
  return new AuthorizationFailure(`${what}: ${reason(said) || `the answer is ${answer.status}`}`);
}
