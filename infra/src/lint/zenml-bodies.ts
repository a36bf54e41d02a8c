import { nearest } from "../schemas/nearest.ts";
import { zenmlCatalogue, type Fields } from "../schemas/client-tables.ts";
import { isRecord } from "./plain-values.ts";
import type { Problem } from "./rule.ts";
import { isUnresolved, type Located, type Path } from "./workspace.ts";

export type ZenmlBody = {
  body: Located;
  name: string;
  fields: Fields;
  /** In a command, not in Terraform, where other rules look at every object. */
  inCommand: boolean;
};

/** A part of a component within POST /stacks, as `ComponentInfo` of the API. */
const COMPONENT = ["flavor", "configuration", "service_connector_index", "service_connector_resource_id"];

const INSTEAD: Readonly<Record<string, string>> = {
  "ServiceConnectorRequest.type": "connector_type",
  "ServiceConnectorRequest.resource_type": "resource_types, a list",
  "component.service_connector_id":
    "service_connector_index, the place in service_connectors, or the id of a component that has its connector",
  "component.config": "configuration",
};

export function* zenmlBodyProblems(of: ZenmlBody): Iterable<Problem> {
  const { body, name, fields } = of;
  if (!isRecord(body.value) || isUnresolved(body.value)) return;
  const given = Object.keys(body.value);
  yield* given.filter((key) => !fields.fields.includes(key)).map((key) => unknownField(of, key));
  const missing = fields.required.filter((key) => !given.includes(key));
  if (missing.length > 0) {
    const message = `${name} needs ${missing.join(" and ")}: without it the answer is 422`;
    yield { file: body.file, line: body.lineOf([]), message };
  }
  if (name === "StackRequest") yield* stackProblems(of);
  if (name === "ServiceConnectorRequest") yield* connectorProblems(of);
}

function unknownField({ body, name, fields }: ZenmlBody, key: string): Problem {
  const meant = INSTEAD[`${name}.${key}`] ?? nearest(key, fields.fields);
  return {
    file: body.file,
    line: body.lineOf([key]),
    message: `${name} of ZenML's API has no field ${key}: the server ignores it`,
    ...(meant === undefined ? {} : { remedy: `Did you mean ${meant}?` }),
  };
}

function* stackProblems({ body, inCommand }: ZenmlBody): Iterable<Problem> {
  const components = isRecord(body.value) ? body.value["components"] : undefined;
  if (!isRecord(components) || isUnresolved(components)) return;
  const { file } = body;
  const { flavors } = zenmlCatalogue();
  for (const [type, value] of Object.entries(components)) {
    const line = body.lineOf(["components", type]);
    if (flavors[type] === undefined) {
      const meant = nearest(type, Object.keys(flavors));
      const remedy = meant === undefined ? undefined : `Did you mean ${meant}?`;
      const message = `ZenML has no component type ${type}`;
      yield { file, line, message, ...(remedy === undefined ? {} : { remedy }) };
    }
    if (isRecord(value) && !isUnresolved(value)) {
      const message = `components.${type} is a list of ids or of {flavor, configuration, ...}, not one object: the answer is 422`;
      yield { file, line, message, remedy: `Put it in a list: ${type} = [{ ... }].` };
      yield* componentProblems({ body, at: ["components", type], inCommand }, value);
    }
    for (const [index, item] of (Array.isArray(value) ? value : []).entries()) {
      if (isRecord(item))
        yield* componentProblems({ body, at: ["components", type, index], inCommand }, item);
    }
  }
  const missing = ["orchestrator", "artifact_store"].filter((type) => !(type in components));
  if (missing.length > 0) {
    const line = body.lineOf(["components"]);
    const message = `A stack needs an orchestrator and an artifact store; ${missing.join(" and ")} is missing: the answer is 422`;
    yield { file, line, message, remedy: `Add ${missing.join(" and ")} to the components.` };
  }
}

type ComponentPlace = { body: Located; at: Path; inCommand: boolean };

function* componentProblems(
  { body, at, inCommand }: ComponentPlace,
  component: Record<string, unknown>,
): Iterable<Problem> {
  if (isUnresolved(component)) return;
  const { file } = body;
  for (const key of Object.keys(component).filter((key) => !COMPONENT.includes(key))) {
    const meant = INSTEAD[`component.${key}`] ?? nearest(key, COMPONENT);
    const remedy = meant === undefined ? undefined : `Use ${meant}.`;
    const message = `A component of a stack has no field ${key}: the server ignores it`;
    yield { file, line: body.lineOf([...at, key]), message, ...(remedy === undefined ? {} : { remedy }) };
  }
  const known = zenmlCatalogue().flavors[String(at[1])];
  const { flavor, configuration } = component;
  if (!inCommand || known === undefined || typeof flavor !== "string") return;
  const fields = known[flavor];
  if (fields === undefined) {
    const meant = flavor === "gcs" ? "gcp" : nearest(flavor, Object.keys(known));
    const message = `${String(at[1])} has no flavor ${flavor}`;
    if (meant !== undefined) {
      yield { file, line: body.lineOf([...at, "flavor"]), message, remedy: `Did you mean ${meant}?` };
    }
    return;
  }
  if (!isRecord(configuration) || isUnresolved(configuration)) return;
  yield* configurationProblems(
    { body, at: [...at, "configuration"], what: `Flavor ${flavor}` },
    configuration,
    fields,
  );
}

type ConfigurationPlace = { body: Located; at: Path; what: string };

function* configurationProblems(
  { body, at, what }: ConfigurationPlace,
  configuration: Record<string, unknown>,
  { fields, required }: Fields,
): Iterable<Problem> {
  for (const key of Object.keys(configuration).filter((key) => !fields.includes(key))) {
    const remedy = `It has ${fields.join(", ")}.`;
    yield {
      file: body.file,
      line: body.lineOf([...at, key]),
      message: `${what} has no setting ${key}`,
      remedy,
    };
  }
  const missing = required.filter((key) => !(key in configuration));
  if (missing.length > 0) {
    const message = `${what} needs ${missing.join(" and ")}`;
    yield { file: body.file, line: body.lineOf(at), message, remedy: `Set ${missing.join(" and ")}.` };
  }
}

function* connectorProblems({ body, inCommand }: ZenmlBody): Iterable<Problem> {
  if (!isRecord(body.value)) return;
  const { connector_type, type = connector_type, auth_method: name, configuration } = body.value;
  const connector = typeof type === "string" ? zenmlCatalogue().connectors[type] : undefined;
  const hasConfiguration = isRecord(configuration) && !isUnresolved(configuration);
  if (connector === undefined || typeof name !== "string" || name.includes("${")) return;
  // Objects of Terraform that have both are zenml/connector's matter, wherever they stand.
  if (!inCommand && hasConfiguration) return;
  const method = connector.methods[name];
  if (method === undefined) {
    const known = Object.keys(connector.methods).join(", ");
    const message = `Connectors of type ${String(type)} have no authentication method ${name}`;
    const remedy = `Use one of ${known}; without a key: external-account for other clouds, implicit on the cloud itself.`;
    yield { file: body.file, line: body.lineOf(["auth_method"]), message, remedy };
  } else if (hasConfiguration) {
    const what = `A ${String(type)} connector with ${name}`;
    yield* configurationProblems({ body, at: ["configuration"], what }, configuration, method);
  }
}
