import { componentLabels } from "../../names.ts";
import type { Plan, PlatformSecret } from "../../plan.ts";
import { ref, type Expression, type Resource, type TerraformBody } from "../resource.ts";
import { commented, element, resource, terraformFile, type Draft } from "../terraform-block.ts";
import { handOver, stageFolder } from "../terraform-state.ts";
import { managedDatabases } from "../civo/database.ts";
import { secretExpression } from "./secret-template.ts";

/** Secrets whose values only Terraform knows. */
export const terraformSecrets = ({ secrets }: Plan): PlatformSecret[] =>
  secrets.filter(({ writer }) => writer === "terraform");

/** Namespaces that Terraform writes into before Argo CD makes them. */
export const earlyNamespaces = (plan: Plan): string[] =>
  [
    ...new Set([
      ...terraformSecrets(plan).map(({ namespace }) => namespace),
      ...managedDatabases(plan).map(({ component }) => component.namespace),
    ]),
  ].sort();

/** A reference to one of them, so that it exists before what is put into it. */
export const namespaceRef = (name: string): Expression =>
  ref(`kubernetes_namespace_v1.component["${name}"].metadata[0].name`);

/** Argo CD puts the labels of its manifests on a namespace: Terraform leaves them. */
export const ADOPTED: TerraformBody = {
  lifecycle: { ignore_changes: [ref("metadata[0].annotations"), ref("metadata[0].labels")] },
};

/** `secrets.tf`: namespaces and Secrets that must be there before the components start. */
export function platformSecrets(plan: Plan): Resource[] {
  const secrets = terraformSecrets(plan);
  const names = earlyNamespaces(plan);
  if (names.length === 0) return [];
  const because = [
    { setting: "objectStore.engine", why: "Only Terraform knows the credentials that Civo made." },
  ];
  return terraformFile(`${stageFolder("platform")}/secrets.tf`, because, [
    commented(
      resource("kubernetes_namespace_v1", "component", {
        for_each: ref(`toset([${names.map((name) => JSON.stringify(name)).join(", ")}])`),
        metadata: { name: ref("each.value") },
        ...ADOPTED,
      }),
      "Argo CD takes them over, with the labels of their manifests.",
    ),
    secrets.length === 0 ? undefined : locals(),
    ...secrets.map((secret) => secretDraft(plan, secret)),
  ]);
}

const locals = (): Draft => ({
  ...commented(
    {
      type: "locals",
      labels: [],
      body: {
        secrets: ref(`data.terraform_remote_state.cluster.outputs.${handOver.secrets}`),
        secrets_revision: ref("parseint(substr(sha256(jsonencode(local.secrets)), 0, 7), 16) + 1"),
      },
    },
    "What stage cluster knows. It is read into this state too, which is as secret as that one. The revision is a\nnumber made of all values: write-only arguments are written again only when it changes.",
  ),
});

/** Name of the block of a Secret: its namespace, which may hold one of the same name, and its own. */
export const blockName = ({ namespace, name }: Pick<PlatformSecret, "namespace" | "name">): string =>
  `${namespace}_${name}`.replaceAll("-", "_");

function secretDraft({ environment }: Plan, secret: PlatformSecret): Draft {
  const { name, namespace, annotations, inputs, data, why, type = "Opaque" } = secret;
  const valueOf = (input: string): Expression => element("local.secrets", inputs[input]?.entry ?? input);
  const { "app.kubernetes.io/name": _, ...labels } = componentLabels(environment, name);
  return {
    ...resource("kubernetes_secret_v1", blockName(secret), {
      type,
      data_wo: Object.fromEntries(
        Object.entries(data).map(([key, value]) => [key, secretExpression(value, valueOf)]),
      ),
      data_wo_revision: ref("local.secrets_revision"),
      metadata: { name, namespace: namespaceRef(namespace), labels, annotations },
    }),
    comment: `${why.charAt(0).toUpperCase()}${why.slice(1)}.`,
    because: [{ setting: name.includes("database") ? "tracking.database" : "objectStore.engine", why }],
  };
}
