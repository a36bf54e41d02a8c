import { createVerify, generateKeyPairSync } from "node:crypto";
import { startService, type Asked, type Said, type Service } from "./service.ts";

const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });

/** The key file of a service account that this Google knows. */
export const serviceAccountKey = (service: Service): Record<string, string> => ({
  type: "service_account",
  project_id: "lab",
  private_key_id: "k1",
  private_key: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
  client_email: "robot@lab.iam.gserviceaccount.com",
  client_id: "1",
  auth_uri: `${service.url}/auth`,
  token_uri: `${service.url}/token`,
  auth_provider_x509_cert_url: `${service.url}/certs`,
  client_x509_cert_url: `${service.url}/cert`,
});

export const userAccountKey = (service: Service): Record<string, string> => ({
  type: "authorized_user",
  client_id: "app",
  client_secret: "app-secret",
  refresh_token: "user-refresh",
  token_uri: `${service.url}/token`,
});

/** Tokens, storage, clusters and registries of one project. */
export const startGoogle = (): Promise<Service> =>
  startService((asked) => {
    const { pathname } = asked.url;
    if (pathname === "/token") return token(asked);
    if (pathname === "/subject") {
      return asked.headers["x-who"] === "me" ? { body: { id_token: "subject" } } : { status: 403 };
    }
    const [, given = ""] = /^Bearer (.*)$/.exec(asked.headers.authorization ?? "") ?? [];
    if (!["robot-token", "user-token", "federated-token", "other-token"].includes(given)) {
      return { status: 401, body: { error: { message: "Invalid Credentials" } } };
    }
    if (pathname.includes(":generateAccessToken")) {
      return { body: { accessToken: "other-token", expireTime: "2099-01-01T00:00:00Z" } };
    }
    return resources(asked.url);
  });

function token({ form }: Asked): Said {
  const made = (name: string): Said => ({
    body: { access_token: name, expires_in: 3599, token_type: "Bearer" },
  });
  switch (form.get("grant_type")) {
    case "urn:ietf:params:oauth:grant-type:jwt-bearer":
      return isSigned(form.get("assertion") ?? "") ? made("robot-token") : invalid("Invalid JWT Signature.");
    case "refresh_token":
      return form.get("refresh_token") === "user-refresh" && form.get("client_secret") === "app-secret"
        ? made("user-token")
        : invalid("Token has been expired or revoked.");
    case "urn:ietf:params:oauth:grant-type:token-exchange":
      return form.get("subject_token") === "subject" ? made("federated-token") : invalid("Bad subject token");
    default:
      return invalid("Unknown grant");
  }
}

const invalid = (description: string): Said => ({
  status: 400,
  body: { error: "invalid_grant", error_description: description },
});

function isSigned(assertion: string): boolean {
  const [header = "", claims = "", signature = ""] = assertion.split(".");
  const verify = createVerify("RSA-SHA256").update(`${header}.${claims}`);
  const { iss, scope } = JSON.parse(Buffer.from(claims, "base64url").toString()) as {
    iss: string;
    scope: string;
  };
  return (
    iss === "robot@lab.iam.gserviceaccount.com" &&
    scope === "https://www.googleapis.com/auth/cloud-platform" &&
    verify.verify(publicKey, Buffer.from(signature, "base64url"))
  );
}

function resources({ pathname, searchParams }: URL): Said {
  if (pathname === "/storage/v1/b" && searchParams.get("project") === "lab") {
    return searchParams.get("pageToken") === null
      ? { body: { items: [{ name: "data-1" }], nextPageToken: "2" } }
      : { body: { items: [{ name: "data-2" }] } };
  }
  if (pathname === "/storage/v1/b/data-1") return { body: { name: "data-1" } };
  if (pathname === "/v1/projects/lab/locations") return { body: { locations: [{ locationId: "europe" }] } };
  const docker = { name: "projects/lab/locations/europe/repositories/images", format: "DOCKER" };
  if (pathname === "/v1/projects/lab/locations/europe/repositories") {
    return {
      body: {
        repositories: [docker, { name: "projects/lab/locations/europe/repositories/py", format: "PYTHON" }],
      },
    };
  }
  if (pathname === `/v1/${docker.name}`) return { body: docker };
  if (pathname === "/v1/projects/lab/locations/-/clusters") {
    return {
      body: {
        clusters: [{ name: "main", endpoint: "10.1.2.3", masterAuth: { clusterCaCertificate: "Q0E=" } }],
      },
    };
  }
  return { status: 404, body: { error: { message: "Not found" } } };
}
