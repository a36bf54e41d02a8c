import { derived, sameFor } from "./clients.ts";
import {
  AuthorizationFailure,
  isTrue,
  once,
  optionalText,
  type Client,
  type Json,
  type OpenDriver,
} from "./connector.ts";
import { readKey } from "./gcp-key.ts";
import { idOfBucket, idOfCluster, idOfRepository, olderRegistries } from "./gcp-resources.ts";
import { fetchGcpToken, gcpFailure } from "./gcp-tokens.ts";
import { bearer, isJson, objectsOf, textIn } from "./http.ts";
import { dockerType, kubernetesType } from "./other-types.ts";

/** Pages of a list: as many as a hostile service could make anybody read. */
const MAX_PAGES = 50;

export const openGcp: OpenDriver = (connector, tools) => {
  const { configuration, method } = connector;
  const { google } = tools.places;
  const project =
    optionalText(configuration, "project_id") ??
    textIn(readKey(configuration, "service_account_json"), "project_id") ??
    "";
  const token = once(() => fetchGcpToken(connector, tools));

  const get = async (url: string, what: string): Promise<Json> => {
    const answer = await tools.http({ url, headers: bearer((await token()).token) });
    if (answer.status !== 200) throw gcpFailure(what, answer);
    return answer.json();
  };

  const list = async (url: string, { field, what }: { field: string; what: string }): Promise<Json[]> => {
    const found: Json[] = [];
    let page: string | undefined;
    for (let at = 0; at < MAX_PAGES; at += 1) {
      const next = new URL(url);
      if (page !== undefined) next.searchParams.set("pageToken", page);
      const answer = await get(next.href, what);
      found.push(...objectsOf(answer[field]));
      page = textIn(answer, "nextPageToken");
      if (page === undefined || page === "") break;
    }
    return found;
  };

  const buckets = async (id: string | undefined): Promise<string[]> => {
    if (id !== undefined) {
      const name = idOfBucket(id);
      await get(`${google.storage}/storage/v1/b/${name}`, `failed to fetch GCS bucket ${name}`);
      return [id];
    }
    const url = `${google.storage}/storage/v1/b?project=${encodeURIComponent(project)}`;
    const items = await list(url, { field: "items", what: "failed to list GCS buckets" });
    return items.flatMap((bucket) => textIn(bucket, "name") ?? []).map((name) => `gs://${name}`);
  };

  const repositories = async (id: string | undefined): Promise<string[]> => {
    const base = `${google.artifactRegistry}/v1`;
    if (id !== undefined) {
      const { uri, name } = idOfRepository(id, project);
      if (name === undefined) return [uri];
      const found = await get(`${base}/${name}`, `Failed to fetch Google Artifact Registry '${uri}'`);
      if (found["format"] === "DOCKER") return [uri];
      throw new AuthorizationFailure(`Google Artifact Registry '${uri}' is not a Docker registry.`);
    }
    const what = "Failed to list Google Artifact Registries";
    const where = `${base}/projects/${encodeURIComponent(project)}/locations`;
    const found: string[] = [];
    for (const location of await list(where, { field: "locations", what })) {
      const url = `${where}/${encodeURIComponent(textIn(location, "locationId") ?? "")}/repositories`;
      const inLocation = await list(url, { field: "repositories", what });
      found.push(
        ...inLocation
          .filter((one) => one["format"] === "DOCKER")
          .flatMap((one) => textIn(one, "name") ?? [])
          .map((name) => idOfRepository(name, project).uri),
      );
    }
    return [...olderRegistries(project), ...found];
  };

  const clusters = once(async () => {
    const url = `${google.container}/v1/projects/${encodeURIComponent(project)}/locations/-/clusters`;
    return objectsOf((await get(url, "Failed to list GKE clusters"))["clusters"]);
  });

  const cluster = async (id: string): Promise<Json> => {
    const name = idOfCluster(id);
    const found = (await clusters()).find((one) => one["name"] === name);
    if (found !== undefined) return found;
    throw new AuthorizationFailure(`GKE cluster '${name}' not found or not accessible.`);
  };

  const clusterClient = async (id: string): Promise<Client> => {
    const { server, authority } = connectionOf(await cluster(id));
    const { token: password, expiresAt } = await token();
    const name = `gke_${project}_${id}`;
    return derived(connector, kubernetesType, {
      method: "token",
      resourceType: "kubernetes-cluster",
      id: name,
      named: id,
      expiresAt,
      configuration: { cluster_name: name, server, certificate_authority: authority, token: password },
    });
  };

  const tokenClient = async (resourceType: string, id: string): Promise<Client> => {
    const keeps = configuration["generate_temporary_tokens"];
    if (method.auth_method !== "impersonation" && keeps !== undefined && !isTrue(keeps)) {
      return { ...sameFor(connector, resourceType, id), expiresAt: null };
    }
    const { token: made, expiresAt, email } = await token();
    return derived(connector, connector.type, {
      method: "oauth2-token",
      resourceType,
      id,
      expiresAt,
      configuration: {
        project_id: project,
        token: made,
        ...(email === undefined ? {} : { service_account_email: email }),
      },
    });
  };

  return {
    canonicalId(resourceType, id) {
      if (resourceType === "gcs-bucket") return `gs://${idOfBucket(id)}`;
      if (resourceType === "kubernetes-cluster") return idOfCluster(id);
      if (resourceType === "docker-registry") return idOfRepository(id, project).uri;
      return id;
    },
    defaultId: () => project,
    async verify(resourceType, id) {
      await token();
      switch (resourceType) {
        case "gcs-bucket":
          return buckets(id);
        case "docker-registry":
          return repositories(id);
        case "kubernetes-cluster":
          if (id === undefined) return (await clusters()).flatMap((one) => textIn(one, "name") ?? []);
          await cluster(id);
          return [id];
        default:
          return id === undefined ? [] : [id];
      }
    },
    async client(resourceType, id) {
      if (resourceType === "kubernetes-cluster") return clusterClient(id);
      if (resourceType !== "docker-registry") return tokenClient(resourceType, id);
      const { token: password, expiresAt } = await token();
      const { uri } = idOfRepository(id, project);
      return derived(connector, dockerType, {
        method: "password",
        resourceType,
        id: checkedHost(uri),
        named: id,
        expiresAt,
        configuration: { username: "oauth2accesstoken", password, registry: uri },
      });
    },
  };
};

/** A registry is named by its host; its configuration keeps the whole address. */
const checkedHost = (uri: string): string => uri.split("/", 1)[0] ?? uri;

/** By its name where that is open to the outside, else by its address and the authority that vouches for that. */
function connectionOf(cluster: Json): { server: string; authority: string | null } {
  const endpoints = part(cluster, "controlPlaneEndpointsConfig");
  const dns = part(endpoints, "dnsEndpointConfig");
  const host = textIn(dns, "endpoint")?.trim() ?? "";
  if (host !== "" && dns["allowExternalTraffic"] === true)
    return { server: `https://${host}`, authority: null };
  const address = textIn(cluster, "endpoint")?.trim() ?? "";
  if (address === "")
    throw new AuthorizationFailure("The GKE cluster has no Kubernetes API endpoint that can be used.");
  const authority = textIn(part(cluster, "masterAuth"), "clusterCaCertificate") ?? null;
  return { server: `https://${address}`, authority };
}

const part = (value: Json, name: string): Json => {
  const found = value[name];
  return isJson(found) ? found : {};
};
