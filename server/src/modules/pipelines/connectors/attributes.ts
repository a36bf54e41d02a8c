/** What a way of authenticating is configured with, one attribute each. */
export type Attribute = {
  readonly kind: "text" | "secret" | "boolean" | "uuid" | "texts" | "map" | "choice";
  readonly title: string;
  readonly required: boolean;
  readonly fallback?: string | boolean;
  readonly choices?: readonly string[];
};

export type Attributes = Readonly<Record<string, Attribute>>;

export const text = (title: string): Attribute => ({ kind: "text", title, required: true });
export const secret = (title: string): Attribute => ({ kind: "secret", title, required: true });
export const uuid = (title: string): Attribute => ({ kind: "uuid", title, required: true });
export const texts = (title: string): Attribute => ({ kind: "texts", title, required: true });
export const map = (title: string): Attribute => ({ kind: "map", title, required: false });
export const flag = (title: string, fallback: boolean): Attribute => ({
  kind: "boolean",
  title,
  required: false,
  fallback,
});
export const choice = (title: string, choices: readonly string[]): Attribute => ({
  kind: "choice",
  title,
  required: false,
  choices,
  ...(choices[0] === undefined ? {} : { fallback: choices[0] }),
});
export const optional = (attribute: Attribute): Attribute => ({ ...attribute, required: false });

const kinds: Readonly<Record<Attribute["kind"], object>> = {
  text: { type: "string" },
  secret: { format: "password", type: "string", writeOnly: true },
  uuid: { format: "uuid", type: "string" },
  boolean: { type: "boolean" },
  texts: { items: { type: "string" }, type: "array" },
  map: { additionalProperties: { type: "string" }, type: "object" },
  choice: { type: "string" },
};

/** The JSON schema by which clients ask for the attributes and tell the secret ones (`format: password`). */
export function schemaOf(name: string, attributes: Attributes): object {
  const entries = Object.entries(attributes);
  const required = entries.filter(([, one]) => one.required).map(([key]) => key);
  return {
    properties: Object.fromEntries(entries.map(([key, one]) => [key, propertyOf(one)])),
    ...(required.length === 0 ? {} : { required }),
    title: name,
    type: "object",
  };
}

function propertyOf({ kind, title, required, fallback, choices }: Attribute): object {
  const plain = { ...kinds[kind], ...(choices === undefined ? {} : { enum: choices }) };
  if (required || kind === "map") return { ...plain, title };
  if (fallback !== undefined) return { ...plain, default: fallback, title };
  return { anyOf: [plain, { type: "null" }], default: null, title };
}
