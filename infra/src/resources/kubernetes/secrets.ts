import { componentLabels, secretReaderAccount } from "../../names.ts";
import type { Plan, PlatformSecret, SecretInput } from "../../plan.ts";
import type { KubernetesObject, ManifestResource, Reason, Resource } from "../resource.ts";
import { overlayFolder } from "./part.ts";
import { platformOverlay } from "./platform-folders.ts";
import { sealedFolder } from "./platform.ts";

/** What makes the Secrets of the cluster. No value of one is ever in Git. */
export function secrets(plan: Plan): Resource[] {
  const { secrets: settings } = plan.environment;
  switch (settings.engine) {
    case "external-secrets":
      return externalSecrets(plan, settings);
    case "sealed":
      return sealedSecrets(plan);
    case "plain":
      return [];
  }
}

type ExternalSecrets = Extract<Plan["environment"]["secrets"], { engine: "external-secrets" }>;

/** Secrets that the engine of `secrets` makes; Terraform makes the others. */
const wanted = (plan: Plan): PlatformSecret[] => plan.secrets.filter(({ writer }) => writer === "secrets");

function externalSecrets(plan: Plan, settings: ExternalSecrets): Resource[] {
  const part = "secrets";
  const folder = overlayFolder(plan, part);
  const all = wanted(plan);
  const namespaces = [...new Set(all.map(({ namespace }) => namespace))].sort();
  const because: Reason[] = [
    { setting: "secrets.engine", why: "External Secrets copies them from the secret store" },
  ];
  const stores =
    settings.store.kind === "existing" ? [] : namespaces.map((namespace) => `${namespace}-store.yaml`);
  return [
    ...(settings.store.kind === "existing"
      ? []
      : namespaces.flatMap((namespace) =>
          storeOf(plan, { namespace, settings, file: `${folder}/${namespace}-store.yaml` }),
        )),
    ...all.map((secret): ManifestResource => ({
      kind: "manifest",
      file: `${folder}/${secret.namespace}-secrets.yaml`,
      because: [{ setting: "secrets.engine", why: secret.why }],
      comment: `${sentence(secret.why)}.`,
      object: externalSecret(plan, secret, settings),
    })),
    ...platformOverlay(plan, {
      part,
      overlay: [...stores, ...namespaces.map((namespace) => `${namespace}-secrets.yaml`)],
      because,
    }),
  ];
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

type StoreOf = { namespace: string; settings: ExternalSecrets; file: string };

/** Each namespace reads as an account of its own: Secret Manager grants it the entries of that namespace, no others. */
function storeOf(plan: Plan, { namespace, settings, file }: StoreOf): ManifestResource[] {
  if (settings.store.kind !== "gcp-secret-manager") return [];
  const labels = componentLabels(plan.environment, "secrets");
  const because: Reason[] = [{ setting: "secrets.store", why: "where the values are" }];
  const manifest = (object: KubernetesObject): ManifestResource => ({
    kind: "manifest",
    file,
    because,
    object,
  });
  return [
    manifest({
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: secretReaderAccount, namespace, labels },
      automountServiceAccountToken: false,
    }),
    manifest({
      apiVersion: "external-secrets.io/v1",
      kind: "SecretStore",
      metadata: { name: storeName, namespace, labels },
      spec: {
        provider: {
          gcpsm: {
            projectID: settings.store.project,
            auth: { workloadIdentity: { serviceAccountRef: { name: secretReaderAccount } } },
          },
        },
      },
    }),
  ];
}

const storeName = "secret-manager";

function externalSecret(
  plan: Plan,
  secret: PlatformSecret,
  { store, refresh }: ExternalSecrets,
): KubernetesObject {
  const { name, namespace, type, annotations, inputs, data } = secret;
  return {
    apiVersion: "external-secrets.io/v1",
    kind: "ExternalSecret",
    metadata: { name, namespace, labels: componentLabels(plan.environment, "secrets") },
    spec: {
      refreshInterval: refresh,
      secretStoreRef:
        store.kind === "existing"
          ? { kind: "ClusterSecretStore", name: store.name }
          : { kind: "SecretStore", name: storeName },
      target: {
        name,
        creationPolicy: "Owner",
        template: {
          engineVersion: "v2",
          ...(type === undefined ? {} : { type }),
          ...(annotations === undefined ? {} : { metadata: { annotations } }),
          data,
        },
      },
      data: Object.entries(inputs).map(([secretKey, input]) => ({ secretKey, remoteRef: remoteRef(input) })),
    },
  };
}

const remoteRef = ({ entry, property }: SecretInput): object => ({
  key: entry,
  ...(property === undefined ? {} : { property }),
});

/** A folder that `make seal` fills: until then there is nothing that Argo CD could apply. */
function sealedSecrets(plan: Plan): Resource[] {
  const folder = sealedFolder(plan);
  const all = wanted(plan);
  const because: Reason[] = [
    { setting: "secrets.engine", why: "secrets are in Git, sealed for this cluster alone" },
  ];
  const rows = all.map(({ namespace, name, why }) => `| ${namespace} | ${name} | ${why} |`);
  return [
    {
      kind: "text",
      file: `${folder}/README.md`,
      because,
      text: `# Sealed secrets of ${plan.environment.name}

\`make seal\` asks for the values, or makes them up, seals them with the certificate of the controller in this cluster and
writes one file for each Secret into this folder. Nobody but that controller can open them, so they may be committed.
Keep a copy of the controller's keys outside of the cluster: without them the files are worth nothing.

| namespace | Secret | what for |
| --- | --- | --- |
${rows.join("\n")}
`,
    },
  ];
}
