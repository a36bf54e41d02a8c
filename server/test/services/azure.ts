import { startService, type Asked, type Said, type Service } from "./service.ts";

export const tenant = "11111111-2222-3333-4444-555555555555";
export const subscription = "99999999-2222-3333-4444-555555555555";
const inGroup = (provider: string, name: string): object => ({
  id: `/subscriptions/${subscription}/resourceGroups/lab/providers/${provider}/${name}`,
  name,
});

const kubeconfig = `
clusters: [{ name: main, cluster: { server: "https://aks.example.org", certificate-authority-data: Q0E= } }]
users: [{ name: admin, user: { token: aks-token, client-certificate-data: Q0VSVA==, client-key-data: S0VZ } }]
`;

/** The login, the management of resources and the blob store of one subscription. */
export const startAzure = (): Promise<Service> =>
  startService((asked) => {
    const { pathname } = asked.url;
    if (pathname === `/${tenant}/oauth2/v2.0/token`) return token(asked);
    const given = asked.headers.authorization;
    if (pathname === "/blob/store/") {
      return given === "Bearer storage-token"
        ? {
            body: "<EnumerationResults><Containers><Container><Name>models</Name></Container></Containers></EnumerationResults>",
          }
        : { status: 403 };
    }
    if (given !== "Bearer management-token") {
      return {
        status: 401,
        body: { error: { code: "InvalidAuthenticationToken", message: "The access token is invalid." } },
      };
    }
    return resources(pathname);
  });

function token({ form }: Asked): Said {
  if (form.get("client_secret") !== "principal-secret") {
    return {
      status: 401,
      body: { error: "invalid_client", error_description: "AADSTS7000215: Invalid client secret." },
    };
  }
  const name = form.get("scope")?.includes("storage") === true ? "storage-token" : "management-token";
  return { body: { access_token: name, expires_in: 3599, token_type: "Bearer" } };
}

function resources(pathname: string): Said {
  const base = `/subscriptions/${subscription}`;
  const lists: Readonly<Record<string, unknown>> = {
    "/subscriptions": { value: [{ subscriptionId: subscription, displayName: "Lab" }] },
    [base]: { subscriptionId: subscription, displayName: "Lab" },
    [`${base}/providers/Microsoft.Storage/storageAccounts`]: {
      value: [inGroup("Microsoft.Storage/storageAccounts", "store")],
    },
    [`${base}/providers/Microsoft.ContainerRegistry/registries`]: {
      value: [inGroup("Microsoft.ContainerRegistry/registries", "labimages")],
    },
    [`${base}/providers/Microsoft.ContainerService/managedClusters`]: {
      value: [inGroup("Microsoft.ContainerService/managedClusters", "main")],
    },
    [`${base}/resourceGroups/lab/providers/Microsoft.ContainerService/managedClusters/main/listClusterAdminCredential`]:
      {
        kubeconfigs: [{ name: "admin", value: Buffer.from(kubeconfig).toString("base64") }],
      },
  };
  const found = lists[pathname];
  return found === undefined ? { status: 404, body: { error: { message: "not found" } } } : { body: found };
}
