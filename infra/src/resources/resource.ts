/** Plain data between the spec and the printed files. Pure functions make it; `print/` alone knows file formats. */

/** Which setting of the configuration something is there for, and why. `plinth explain` shows it. */
export type Reason = {
  /** Path in the configuration, for example `tracking.database.engine`. */
  setting: string;
  why: string;
};

export type KubernetesObject = {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Readonly<Record<string, string>>;
    annotations?: Readonly<Record<string, string>>;
  };
  readonly [key: string]: unknown;
};

type Common = {
  /** Path below the output folder. Several resources of one file are printed in the order given. */
  file: string;
  because: readonly Reason[];
  /** Printed above it, where a reader would ask why. */
  comment?: string;
};

/** A Kubernetes object in a YAML file. */
export type ManifestResource = Common & {
  kind: "manifest";
  object: KubernetesObject;
  /** Comments for parts of it, by path: `spec.replicas`. */
  notes?: Readonly<Record<string, string>>;
};

/** A YAML document that is no Kubernetes object: a kustomization, Helm values. */
export type DocumentResource = Common & {
  kind: "document";
  value: unknown;
  notes?: Readonly<Record<string, string>>;
};

/** A block of a Terraform file. */
export type TerraformResource = Common & {
  kind: "terraform";
  block: TerraformBlock;
  /** Comments for parts of it, by path: `settings.tier`. */
  notes?: Readonly<Record<string, string>>;
};

/** A file as it is: a Makefile, a README, a dashboard. */
export type TextResource = Common & { kind: "text"; text: string; executable?: boolean };

export type Resource = ManifestResource | DocumentResource | TerraformResource | TextResource;

/**
 * A top-level block: `resource`, `data`, `module`, `variable`, `output`, `provider`, `terraform`, `locals`, `moved`, `import`, `ephemeral`.
 * `body` is written as plain data; the provider's schema tells the printer what of it is a nested block.
 * Labels of nested blocks are keys: `backend: { gcs: { bucket } }`, `dynamic: { rule: { for_each, content: {...} } }`.
 */
export type TerraformBlock = { type: string; labels: readonly string[]; body: TerraformBody };

export type TerraformBody = { readonly [name: string]: TerraformValue | undefined };

export type TerraformValue =
  | string
  | number
  | boolean
  | null
  | Expression
  | Call
  | readonly TerraformValue[]
  | { readonly [name: string]: TerraformValue | undefined };

/** HCL that is printed as it is: `google_compute_network.main.id`. Strings are quoted and escaped; these are not. */
export class Expression {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export const ref = (text: string): Expression => new Expression(text);

/** A function call whose arguments are plain data: `call("yamlencode", { replicaCount: 2 })`. */
export class Call {
  readonly name: string;
  readonly values: readonly TerraformValue[];
  constructor(name: string, values: readonly TerraformValue[]) {
    this.name = name;
    this.values = values;
  }
}

export const call = (name: string, ...values: readonly TerraformValue[]): Call => new Call(name, values);

/** A quoted string with references in it: `` template`serviceAccount:${ref("google_service_account.x.email")}` ``. */
export function template(
  strings: TemplateStringsArray,
  ...parts: readonly (string | number | Expression)[]
): Expression {
  const quoted = strings.map((string, at) => {
    const part = parts[at];
    const literal = escapeTemplate(string);
    if (part === undefined) return literal;
    return literal + (part instanceof Expression ? `\${${part.text}}` : escapeTemplate(String(part)));
  });
  return new Expression(`"${quoted.join("")}"`);
}

/** Text as it stands within a quoted HCL string. */
export const escapeTemplate = (value: string): string =>
  value
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")
    .replaceAll("\t", "\\t")
    // As a function: in a replacement text "$$" would be one dollar.
    .replaceAll(/[$%]\{/g, (opening) => opening[0] + opening);
