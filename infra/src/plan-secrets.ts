import { namespaces } from "./names.ts";
import type { Component, Plan, PlatformSecret, SecretInput } from "./plan.ts";
import type { Exposure } from "./spec/components.ts";
import type { Database } from "./spec/state.ts";

type Parts = Omit<Plan, "secrets">;

/** Every Secret that the output refers to, except those that operators make themselves (`tracking-pg-app` of CloudNativePG). */
export function secretsOf(plan: Parts): PlatformSecret[] {
  const { environment, tracking, pipelines } = plan;
  const secrets: (PlatformSecret | undefined)[] = [
    databaseSecret(plan, tracking, environment.tracking.database),
    ...(tracking.name === "plinth" ? [encryptionKey(plan), administrator(plan)] : []),
    ...objectStoreSecrets(plan),
    ...backupSecrets(plan),
    loginSecret(tracking.namespace, tracking.name, environment.tracking.exposure),
    environment.serving.engine === "kserve"
      ? loginSecret(environment.serving.namespace, "models", environment.serving.exposure)
      : undefined,
    ...(environment.serving.engine === "kserve"
      ? [loginSecret(environment.serving.namespace, "models", environment.serving.exposure)]
      : []),
    ...(environment.monitoring.engine === "prometheus-operator" ? [grafanaSecret(plan)] : []),
  ];
  if (pipelines !== undefined && environment.pipelines.engine === "zenml") {
    secrets.push(
      databaseSecret(plan, pipelines, environment.pipelines.database),
      ...zenmlSecrets(plan, pipelines.namespace),
      loginSecret(pipelines.namespace, pipelines.name, environment.pipelines.exposure),
    );
  }
  return secrets.filter((secret) => secret !== undefined);
}

/** Name of the Secret with Grafana's first account. */
export const grafanaSecretName = "grafana-admin";

const grafanaSecret = ({ prefix }: Parts): PlatformSecret => ({
  name: grafanaSecretName,
  namespace: namespaces.monitoring,
  inputs: { password: generated(`${prefix}-grafana-admin`, "password of Grafana's first account") },
  data: { "admin-user": "admin", "admin-password": "{{ .password }}" },
  writer: "secrets",
  why: "the chart would make a new password at every synchronisation",
});

const generated = (entry: string, what: string): SecretInput => ({ entry, origin: "generated", what });
const generatedKey = (entry: string, what: string): SecretInput => ({
  ...generated(entry, what),
  shape: "key",
});
const generatedName = (entry: string, what: string): SecretInput => ({
  ...generated(entry, what),
  shape: "name",
});
const given = (entry: string, property: string, what: string): SecretInput => ({
  entry,
  property,
  origin: "given",
  what,
});
const cloud = (entry: string, what: string): SecretInput => ({ entry, origin: "cloud", what });

/** Name of the Secret with a component's way to its database. */
export const databaseSecretName = (component: Component): string => `${component.name}-database`;

function databaseSecret(plan: Parts, component: Component, database: Database): PlatformSecret | undefined {
  // CloudNativePG makes `<cluster>-app` with the whole address in it.
  if (database.engine === "cloudnative-pg") return undefined;
  const part = component.name === "zenml" ? "zenml" : "tracking";
  const entry = `${plan.prefix}-${part}-database`;
  const inputs: Record<string, SecretInput> = {};
  if (database.engine === "external") {
    inputs["password"] = given(database.password.secret, "password", `password of ${database.user}`);
  } else if (database.engine === "civo-database") {
    inputs["username"] = cloud(`${entry}-username`, "user of the database");
    inputs["password"] = cloud(entry, "password of the database");
  } else {
    inputs["password"] = generated(entry, `password of the database user ${component.database.user}`);
  }
  if (database.engine === "cloud-sql")
    inputs["ca"] = cloud(`${entry}-ca`, "certificate authority of the database server");
  return {
    name: databaseSecretName(component),
    namespace: component.namespace,
    inputs,
    data: {
      ...databaseKeys(component, inputs),
      // The Job that makes the user in the server wants the password by itself.
      ...(database.engine === "kubeblocks" ? { password: "{{ .password }}" } : {}),
    },
    writer: database.engine === "civo-database" ? "terraform" : "secrets",
    why: `how ${component.name} reaches its database`,
  };
}

function databaseKeys(
  { name, database }: Component,
  inputs: Record<string, SecretInput>,
): Record<string, string> {
  const user = "username" in inputs ? "{{ .username }}" : database.user;
  const ca = "ca" in inputs ? { "server-ca.pem": "{{ .ca }}" } : {};
  if (name === "zenml") {
    // The password is no part of the URL: the chart takes it from here as ZENML_STORE_PASSWORD.
    return { ...("username" in inputs ? { username: user } : {}), password: "{{ .password }}", ...ca };
  }
  const place = `${user}:{{ .password | urlquery }}@${database.host}:${database.port}/${database.name}`;
  const tls = database.tls ? tlsParameters(database.dialect, "ca" in inputs) : "";
  return name === "plinth"
    ? { PLINTH_DATABASE_URL: `postgres://${place}${tls}`, ...ca }
    : {
        MLFLOW_BACKEND_STORE_URI:
          database.dialect === "mysql" ? `mysql+pymysql://${place}` : `postgresql://${place}${tls}`,
        ...ca,
      };
}

/** Folder where the certificate authority of a database server is mounted. */
export const caFolder = "/etc/database-ca";

const tlsParameters = (dialect: "mysql" | "postgresql", ca: boolean): string => {
  if (dialect === "mysql") return "";
  // The server's certificate has no name that private addresses could be compared with: its authority is what is checked.
  return ca ? `?sslmode=verify-ca&sslrootcert=${caFolder}/server-ca.pem` : "?sslmode=require";
};

const encryptionKey = ({ prefix, tracking }: Parts): PlatformSecret => ({
  name: "plinth-encryption",
  namespace: tracking.namespace,
  inputs: {
    key: generatedKey(
      `${prefix}-plinth-encryption`,
      "key that Plinth encrypts stored secrets with, 32 bytes in hexadecimal",
    ),
  },
  data: { PLINTH_SECRETS_KEY: "{{ .key }}" },
  writer: "secrets",
  why: "Plinth encrypts the secrets it stores, those of webhooks for example",
});

/** Name of the Secret with the password of Plinth's first administrator. */
export const adminSecretName = "plinth-admin";

const administrator = ({ prefix, tracking }: Parts): PlatformSecret => ({
  name: adminSecretName,
  namespace: tracking.namespace,
  inputs: {
    password: generated(`${prefix}-plinth-admin`, "password of Plinth's first administrator, admin"),
  },
  data: { PLINTH_ADMIN_PASSWORD: "{{ .password }}" },
  writer: "secrets",
  why: "Plinth does not start on a network before somebody can log in as administrator",
});

/** Name of the Secret with the credentials of the object store, in the namespace that uses it. */
export const objectStoreSecretName = "object-store";

function objectStoreSecrets(plan: Parts): PlatformSecret[] {
  const { environment, tracking } = plan;
  const { objectStore } = environment;
  const secrets: PlatformSecret[] = [];
  if (objectStore.engine === "minio") {
    secrets.push(minioSecret(plan));
  }
  const inputs = keyPair(plan, "tracking");
  // MLflow reaches Google Cloud Storage by Workload Identity; Plinth speaks S3, with an HMAC key.
  if (objectStore.engine !== "gcs" || tracking.name === "plinth") {
    const names =
      tracking.name === "plinth"
        ? (["PLINTH_S3_ACCESS_KEY_ID", "PLINTH_S3_SECRET_ACCESS_KEY"] as const)
        : (["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] as const);
    secrets.push({
      name: objectStoreSecretName,
      namespace: tracking.namespace,
      inputs,
      data: { [names[0]]: "{{ .id }}", [names[1]]: "{{ .secret }}" },
      writer: objectStore.engine === "civo" ? "terraform" : "secrets",
      why: `how ${tracking.name} reaches the bucket of artifacts`,
    });
  }
  const { serving } = environment;
  if (serving.engine === "kserve" && objectStore.engine !== "gcs") {
    const endpoint = new URL(plan.store.endpoint);
    secrets.push({
      name: "model-storage",
      namespace: serving.namespace,
      annotations: {
        "serving.kserve.io/s3-endpoint": endpoint.host,
        "serving.kserve.io/s3-usehttps": endpoint.protocol === "https:" ? "1" : "0",
        "serving.kserve.io/s3-region": plan.store.region,
        "serving.kserve.io/s3-useanoncredential": "false",
      },
      inputs: keyPair(plan, "models"),
      data: { AWS_ACCESS_KEY_ID: "{{ .id }}", AWS_SECRET_ACCESS_KEY: "{{ .secret }}" },
      writer: objectStore.engine === "civo" ? "terraform" : "secrets",
      why: "how KServe's storage initializer reads models",
    });
  }
  return secrets;
}

/** The key pair of one user of the object store. */
function keyPair(
  { environment, prefix }: Parts,
  user: "tracking" | "models" | "backups",
): Record<string, SecretInput> {
  const { objectStore } = environment;
  if (objectStore.engine === "s3") {
    return {
      id: given(objectStore.credentials.secret, "access-key-id", "access key id of the object store"),
      secret: given(
        objectStore.credentials.secret,
        "secret-access-key",
        "secret access key of the object store",
      ),
    };
  }
  const entry = `${prefix}-${user}-object-store`;
  const id = `access key id of ${user} in the object store`;
  const secret = `secret access key of ${user} in the object store`;
  return objectStore.engine === "minio"
    ? { id: generatedName(`${entry}-id`, id), secret: generated(`${entry}-secret`, secret) }
    : { id: cloud(`${entry}-id`, id), secret: cloud(`${entry}-secret`, secret) };
}

/** What MinIO starts with, and the users that its set-up Job makes: nobody but the Job uses the root account. */
function minioSecret(plan: Parts): PlatformSecret {
  const { environment, prefix } = plan;
  const name = environment.objectStore.engine === "minio" ? environment.objectStore.credentials.secret : "";
  const users = [
    "tracking",
    ...(environment.serving.engine === "kserve" ? (["models"] as const) : []),
    ...(environment.backup.enabled ? (["backups"] as const) : []),
  ] as const;
  const inputs: Record<string, SecretInput> = {
    user: generatedName(`${prefix}-minio-root-user`, "name of MinIO's root account"),
    password: generated(`${prefix}-minio-root-password`, "password of MinIO's root account"),
  };
  const data: Record<string, string> = {
    MINIO_ROOT_USER: "{{ .user }}",
    MINIO_ROOT_PASSWORD: "{{ .password }}",
  };
  for (const user of users) {
    const pair = keyPair(plan, user);
    const variable = user.toUpperCase();
    inputs[`${user}Id`] = pair["id"] as SecretInput;
    inputs[`${user}Secret`] = pair["secret"] as SecretInput;
    data[`${variable}_ACCESS_KEY_ID`] = `{{ .${user}Id }}`;
    data[`${variable}_SECRET_ACCESS_KEY`] = `{{ .${user}Secret }}`;
  }
  return {
    name,
    namespace: namespaces.objectStore,
    inputs,
    data,
    writer: "secrets",
    why: "MinIO's root account, and the users its set-up makes",
  };
}

/** Name of the Secret that a database cluster writes its backups with. */
export const backupSecretName = (server: string): string => `${server}-backup`;

function backupSecrets(plan: Parts): PlatformSecret[] {
  const { environment, tracking, pipelines } = plan;
  const { backup, objectStore } = environment;
  if (!backup.enabled || objectStore.engine === "gcs") return [];
  const servers: [Component, Database][] = [[tracking, environment.tracking.database]];
  if (pipelines !== undefined && environment.pipelines.engine === "zenml") {
    servers.push([pipelines, environment.pipelines.database]);
  }
  return servers.flatMap(([component, database]) => {
    const keys = BACKUP_KEYS[database.engine];
    if (keys === undefined) return [];
    return {
      name: backupSecretName(component.database.server),
      namespace: component.namespace,
      inputs: keyPair(plan, "backups"),
      data: { [keys.id]: "{{ .id }}", [keys.secret]: "{{ .secret }}" },
      writer: objectStore.engine === "civo" ? ("terraform" as const) : ("secrets" as const),
      why: `where ${component.database.server} writes its backups`,
    };
  });
}

/** The other engines back up by themselves. */
const BACKUP_KEYS: Partial<Record<Database["engine"], { id: string; secret: string }>> = {
  "cloudnative-pg": { id: "ACCESS_KEY_ID", secret: "ACCESS_SECRET_KEY" },
  kubeblocks: { id: "accessKeyId", secret: "secretAccessKey" },
};

function zenmlSecrets({ environment, prefix }: Parts, namespace: string): PlatformSecret[] {
  const { pipelines } = environment;
  const secrets: PlatformSecret[] = [
    {
      name: "zenml-server",
      namespace,
      inputs: {
        jwt: generated(`${prefix}-zenml-jwt`, "key that ZenML signs its tokens with"),
        encryption: generatedKey(`${prefix}-zenml-encryption`, "key that ZenML encrypts its secrets with"),
      },
      data: { "jwt-secret-key": "{{ .jwt }}", "encryption-key": "{{ .encryption }}" },
      writer: "secrets",
      why: "the chart would make new keys at every synchronisation, which logs everybody out",
    },
  ];
  if (pipelines.engine === "zenml" && pipelines.activation !== undefined) {
    secrets.push({
      name: "zenml-admin",
      namespace,
      inputs: {
        password: given(
          pipelines.activation.password.secret,
          "password",
          "password of ZenML's first administrator",
        ),
      },
      data: { password: "{{ .password }}" },
      writer: "secrets",
      why: "the server activates itself with this administrator, so that no visitor can claim it",
    });
  }
  return secrets;
}

function loginSecret(namespace: string, component: string, exposure: Exposure): PlatformSecret | undefined {
  if (exposure.kind !== "gateway-login") return undefined;
  return {
    name: `${component}-login`,
    namespace,
    inputs: {
      users: given(
        exposure.users.secret,
        "htpasswd",
        "users that may pass the gateway, an htpasswd file with SHA hashes",
      ),
    },
    data: { ".htpasswd": "{{ .users }}" },
    writer: "secrets",
    why: `who may reach ${component} from outside`,
  };
}
