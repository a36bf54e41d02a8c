import { choice, flag, map, optional, secret, text, texts } from "./attributes.ts";
import { authMethod, connectorType } from "./connector-type.ts";

export const dockerType = connectorType({
  name: "Docker Service Connector",
  connector_type: "docker",
  description: "A registry of container images that speaks the protocol of Docker's.",
  emoji: ":whale:",
  auth_methods: [
    authMethod({
      name: "Docker username and password/token",
      auth_method: "password",
      description: "A user name with a password or an access token.",
      attributes: {
        username: secret("User name"),
        password: secret("Password or access token"),
        registry: optional(text("Address of the registry; Docker Hub where none is given")),
      },
    }),
  ],
  resource_types: [
    {
      name: "Docker/OCI container registry",
      resource_type: "docker-registry",
      description: "The registry: docker.io, or [http[s]://]host[:port][/repository].",
      supports_instances: false,
      emoji: ":whale:",
    },
  ],
});

const cluster = {
  certificate_authority: optional(secret("Certificate of the authority, in base64")),
  server: text("Address of the API server"),
  insecure: flag("Do not check the certificate of the server", false),
  cluster_name: text("Name of the cluster"),
};

export const kubernetesType = connectorType({
  name: "Kubernetes Service Connector",
  connector_type: "kubernetes",
  description: "Any Kubernetes cluster whose API server this server reaches.",
  emoji: ":cyclone:",
  supports_auto_configuration: true,
  auth_methods: [
    authMethod({
      name: "Kubernetes Username and Password",
      auth_method: "password",
      description: "A user name and a password, which few clusters still take.",
      attributes: { username: secret("User name"), password: secret("Password"), ...cluster },
    }),
    authMethod({
      name: "Kubernetes Token",
      auth_method: "token",
      description: "A bearer token, a certificate with its key, or both.",
      attributes: {
        client_certificate: optional(secret("Certificate of the client, in base64")),
        client_key: optional(secret("Key of the client, in base64")),
        token: optional(secret("Token")),
        ...cluster,
      },
    }),
  ],
  resource_types: [
    {
      name: "Kubernetes cluster",
      resource_type: "kubernetes-cluster",
      description: "The cluster, by the name it was given.",
      supports_instances: false,
      emoji: ":cyclone:",
    },
  ],
});

const sshKey = (kind: string, name: string): ReturnType<typeof authMethod> =>
  authMethod({
    name: `${name} key with optional passphrase`,
    auth_method: `${kind}-key`,
    description: `An SSH key of the kind ${name}.`,
    attributes: {
      base64_ssh_key: secret("SSH key, in base64"),
      ssh_passphrase: optional(secret("Passphrase of the key")),
      hostnames: texts("Names or addresses of the instances"),
      username: text("User name"),
    },
  });

export const hyperaiType = connectorType({
  name: "HyperAI Service Connector",
  connector_type: "hyperai",
  description: "Machines of HyperAI, reached by SSH from this server and from where the steps run.",
  emoji: ":robot_face:",
  auth_methods: [
    sshKey("rsa", "RSA"),
    sshKey("dsa", "DSA/DSS"),
    sshKey("ecdsa", "ECDSA"),
    sshKey("ed25519", "Ed25519"),
  ],
  resource_types: [
    {
      name: "HyperAI instance",
      resource_type: "hyperai-instance",
      description: "A machine, by its name or address.",
      supports_instances: true,
      emoji: ":robot_face:",
    },
  ],
});

const api = { api_url: text("Address of the API") };
const grant = {
  ...api,
  token_url: text("Address where tokens are asked for"),
  client_id: text("Id of the client"),
  scope: optional(text("Scopes, with blanks between them")),
  client_auth_method: choice("How the client proves itself", ["client_secret_basic", "client_secret_post"]),
  token_params: map("Further parameters of the request for a token"),
  token_headers: map("Further headers of the request for a token"),
};

/** Came after 0.84, whose clients show it all the same. */
export const oauth2Type = connectorType({
  name: "OAuth2 Service Connector",
  connector_type: "oauth2",
  description: "Any HTTP API that takes bearer tokens of OAuth 2.0.",
  emoji: ":closed_lock_with_key:",
  auth_methods: [
    authMethod({
      name: "OAuth2 Client Credentials",
      auth_method: "client-credentials",
      description: "The secret of a client, exchanged for temporary tokens.",
      attributes: {
        ...grant,
        client_secret: secret("Secret of the client"),
        audience: optional(text("Audience of the tokens")),
      },
    }),
    authMethod({
      name: "OAuth2 Refresh Token",
      auth_method: "refresh-token",
      description: "A refresh token, exchanged for temporary tokens.",
      attributes: {
        ...grant,
        refresh_token: secret("Refresh token"),
        client_secret: optional(secret("Secret of the client")),
      },
    }),
    authMethod({
      name: "OAuth2 Token",
      auth_method: "token",
      description: "A token that was made elsewhere, until it expires.",
      attributes: { ...api, access_token: secret("Access token") },
    }),
  ],
  resource_types: [
    {
      name: "OAuth2 API",
      resource_type: "oauth2-api",
      description: "The API, by its address.",
      supports_instances: false,
      emoji: ":globe_with_meridians:",
    },
  ],
});
