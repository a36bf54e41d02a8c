import { parse } from "yaml";
import { azureResources } from "./azure-resources.ts";
import { derived, sameFor } from "./clients.ts";
import {
  AuthorizationFailure,
  notImplicit,
  once,
  optionalText,
  textOf,
  type Client,
  type HttpAnswer,
  type Json,
  type OpenDriver,
} from "./connector.ts";
import { bearer, formHeaders, isJson, objectsOf, reason, textIn } from "./http.ts";
import { readToken, type Token } from "./oauth2.ts";
import { dockerType, kubernetesType } from "./other-types.ts";

const MANAGEMENT_SCOPE = "https://management.azure.com/.default";
const STORAGE_SCOPE = "https://storage.azure.com/.default";
const MAX_PAGES = 50;
/** A user name that stands for a token. */
const NO_USER = "00000000-0000-0000-0000-000000000000";

export const openAzure: OpenDriver = (connector, tools) => {
  const { configuration, method } = connector;
  const { azure } = tools.places;
  const group = optionalText(configuration, "resource_group");
  const account = optionalText(configuration, "storage_account");
  const ids = azureResources(group);

  const fetchToken = async (scope: string): Promise<Token> => {
    if (method.auth_method === "access-token") {
      return { token: textOf(configuration, "token"), expiresAt: connector.expiresAt };
    }
    if (method.auth_method !== "service-principal") throw notImplicit();
    const form = {
      grant_type: "client_credentials",
      client_id: textOf(configuration, "client_id"),
      client_secret: textOf(configuration, "client_secret"),
      scope,
    };
    const answer = await tools.http({
      url: `${azure.login}/${textOf(configuration, "tenant_id")}/oauth2/v2.0/token`,
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
    return found.filter((one) => group === undefined || groupOf(one) === group.toLowerCase());
  };

  const containersOf = async (name: string): Promise<string[]> => {
    const { token } = await storage();
    const answer = await tools.http({
      url: `${azure.blob(name)}/?comp=list`,
      headers: { ...bearer(token), accept: "application/xml", "x-ms-version": "2021-08-06" },
    });
    if (answer.status !== 200) {
      throw new AuthorizationFailure(
        `failed to fetch Azure blob storage containers in the '${name}' storage account: the answer is ${answer.status}`,
      );
    }
    return [...answer.text.matchAll(/<Container><Name>([^<]*)<\/Name>/g)].map(([, found = ""]) => found);
  };

  const containers = async (id: string | undefined): Promise<string[]> => {
    if (method.auth_method === "access-token") {
      throw new AuthorizationFailure(
        "the 'access-token' authentication method is not supported for blob storage resources",
      );
    }
    const accounts =
      account === undefined
        ? (
            await inSubscription(
              "Microsoft.Storage/storageAccounts?api-version=2023-01-01",
              "failed to list available Azure storage accounts",
            )
          ).flatMap((one) => textIn(one, "name") ?? [])
        : [account];
    const found: string[] = [];
    for (const name of accounts) found.push(...(await containersOf(name)).map((one) => `az://${one}`));
    return only(found, id, "container");
  };

  const registries = async (id: string | undefined): Promise<string[]> => {
    const what = "failed to list available Azure container registries";
    const found = await inSubscription("Microsoft.ContainerRegistry/registries?api-version=2023-07-01", what);
    return only(
      found.flatMap((one) => textIn(one, "name") ?? []).map((name) => `${name}.azurecr.io`),
      id,
      "registry",
    );
  };

  const clusters = async (id: string | undefined): Promise<string[]> => {
    const what = "failed to list available AKS clusters";
    const found = await inSubscription(
      "Microsoft.ContainerService/managedClusters?api-version=2024-02-01",
      what,
    );
    const names = found.map((one) => `${groupNameOf(one)}/${textIn(one, "name") ?? ""}`);
    if (id === undefined || id.includes("/")) return only(names, id, "AKS cluster");
    const fitting = names.filter((name) => name.endsWith(`/${id}`));
    if (fitting.length === 1) return fitting;
    throw new AuthorizationFailure(
      fitting.length === 0
        ? `the '${id}' AKS cluster was not found or is not accessible`
        : `the '${id}' AKS cluster was found in several resource groups: name it as one of ${fitting.join(", ")}`,
    );
  };

  const registryClient = async (id: string): Promise<Client> => {
    const made = { method: "password", resourceType: "docker-registry", id };
    if (method.auth_method === "service-principal") {
      const configured = {
        username: textOf(configuration, "client_id"),
        password: textOf(configuration, "client_secret"),
      };
      return derived(connector, dockerType, {
        ...made,
        expiresAt: null,
        configuration: { ...configured, registry: id },
      });
    }
    const { token, expiresAt } = await management();
    const exchange = async (path: string, form: Record<string, string>, field: string): Promise<string> => {
      const body = new URLSearchParams({ service: id, ...form }).toString();
      const answer = await tools.http({
        url: `https://${id}/oauth2/${path}`,
        method: "POST",
        headers: formHeaders,
        body,
      });
      const found = textIn(answer.json(), field);
      if (answer.status === 200 && found !== undefined) return found;
      throw new AuthorizationFailure(`failed to get a token for Azure Container Registry '${id}'`);
    };
    const refresh = await exchange(
      "exchange",
      { grant_type: "access_token", access_token: token },
      "refresh_token",
    );
    const password = await exchange(
      "token",
      { grant_type: "refresh_token", scope: "repository:*:*", refresh_token: refresh },
      "access_token",
    );
    return derived(connector, dockerType, {
      ...made,
      expiresAt,
      configuration: { username: NO_USER, password, registry: id },
    });
  };

  const clusterClient = async (id: string): Promise<Client> => {
    const [found = id] = await clusters(id);
    const [inGroup = "", name = ""] = found.split("/");
    const { id: subscriptionId } = await subscription();
    const what = `failed to list credentials for Azure Kubernetes Service cluster '${name}' in resource group '${inGroup}'`;
    const path =
      `/subscriptions/${subscriptionId}/resourceGroups/${encodeURIComponent(inGroup)}/providers/` +
      `Microsoft.ContainerService/managedClusters/${encodeURIComponent(name)}/listClusterAdminCredential?api-version=2024-02-01`;
    const [kubeconfig] = objectsOf((await ask(path, what, "POST"))["kubeconfigs"]);
    const text = Buffer.from((kubeconfig && textIn(kubeconfig, "value")) ?? "", "base64").toString("utf8");
    const { cluster, clusterName, user } = readKubeconfig(text, what);
    return derived(connector, kubernetesType, {
      method: "token",
      resourceType: "kubernetes-cluster",
      id: clusterName,
      named: id,
      expiresAt: (await management()).expiresAt,
      configuration: {
        cluster_name: clusterName,
        server: textIn(cluster, "server") ?? "",
        certificate_authority: textIn(cluster, "certificate-authority-data") ?? null,
        token: textIn(user, "token") ?? null,
        client_certificate: textIn(user, "client-certificate-data") ?? null,
        client_key: textIn(user, "client-key-data") ?? null,
      },
    });
  };

  return {
    canonicalId: ids.canonicalId,
    defaultId: async () => (await subscription()).name,
    async verify(resourceType, id) {
      switch (resourceType) {
        case "blob-container":
          return containers(id);
        case "docker-registry":
          return registries(id);
        case "kubernetes-cluster":
          return clusters(id);
        default:
          await subscription();
          return id === undefined ? [] : [id];
      }
    },
    async client(resourceType, id) {
      if (resourceType === "docker-registry") return registryClient(id);
      if (resourceType === "kubernetes-cluster") return clusterClient(id);
      if (connector.resourceType === resourceType && connector.resourceId === id) return undefined;
      return sameFor(connector, resourceType, id);
    },
  };
};

function only(found: readonly string[], id: string | undefined, kind: string): string[] {
  if (id === undefined) return [...found];
  if (found.includes(id)) return [id];
  throw new AuthorizationFailure(`the '${id}' ${kind} was not found or is not accessible`);
}

/** `/subscriptions/<id>/resourceGroups/<group>/providers/...` */
const groupNameOf = (resource: Json): string => textIn(resource, "id")?.split("/")[4] ?? "";
const groupOf = (resource: Json): string => groupNameOf(resource).toLowerCase();

type Kubeconfig = { clusterName: string; cluster: Json; user: Json };

function readKubeconfig(text: string, what: string): Kubeconfig {
  const config: unknown = parse(text);
  const whole = isJson(config) ? config : {};
  const [named] = objectsOf(whole["clusters"]);
  const [person] = objectsOf(whole["users"]);
  if (named === undefined || person === undefined)
    throw new AuthorizationFailure(`${what}: no kubeconfig found`);
  const cluster = named["cluster"];
  const user = person["user"];
  return {
    clusterName: textIn(named, "name") ?? "",
    cluster: isJson(cluster) ? cluster : {},
    user: isJson(user) ? user : {},
  };
}

function azureFailure(what: string, answer: HttpAnswer): AuthorizationFailure {
  const error = answer.json()["error"];
  const said = isJson(error) ? textIn(error, "message") : undefined;
  return new AuthorizationFailure(`${what}: ${reason(said) || `the answer is ${answer.status}`}`);
}
