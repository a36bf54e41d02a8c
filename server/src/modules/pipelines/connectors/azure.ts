import { azureResources } from "./azure-resources.ts";
import { groupNameOf, openAzureSession } from "./azure-session.ts";
import { derived, sameFor } from "./clients.ts";
import {
  AuthorizationFailure,
  optionalText,
  textOf,
  type Client,
  type Json,
  type OpenDriver,
} from "./connector.ts";
import { formHeaders, isJson, objectsOf, textIn } from "./http.ts";
import { dockerType, kubernetesType } from "./other-types.ts";

/** A user name that stands for a token. */
const NO_USER = "00000000-0000-0000-0000-000000000000";

export const openAzure: OpenDriver = (connector, tools) => {
  const { configuration, method } = connector;
  const session = openAzureSession(connector, tools);
  const { management, ask, subscription, inSubscription } = session;
  const ids = azureResources(optionalText(configuration, "resource_group"));

  const containers = async (id: string | undefined): Promise<string[]> => {
    const found = (await Array.fromAsync(session.containers())).map(({ container }) => `az://${container}`);
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
    const { cluster, clusterName, user } = await readKubeconfig(text, what);
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

type Kubeconfig = { clusterName: string; cluster: Json; user: Json };

async function readKubeconfig(text: string, what: string): Promise<Kubeconfig> {
  // Few ask for one: no start pays for the parser.
  const { parse } = await import("yaml");
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
