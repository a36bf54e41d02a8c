import {
  connectorPlace,
  getConnectorType,
  serviceConnectors,
  specificationOf,
  splitConfiguration,
} from "../../modules/pipelines/index.ts";
import {
  fieldOf,
  flagOf,
  numberOf,
  objectJsonOf,
  recordOf,
  stampsOf,
  textOf,
  timeOf,
  userOf,
  type Entity,
} from "./entity.ts";
import type { SharedWriter } from "./load-shared.ts";
import type { Mapping } from "./mapping.ts";
import { put } from "./writer.ts";

/** With their credentials, as far as the ones that were given show them. */
export async function loadConnectors(writer: SharedWriter, mapping: Mapping): Promise<number> {
  let done = 0;
  for await (const { items, total } of writer.source.pages("/service_connectors")) {
    writer.goOn();
    for (const listed of items) {
      const one = await writer.source.get(`/service_connectors/${listed.id}`, { expand_secrets: true });
      await putConnector(writer, mapping, one);
    }
    done += items.length;
    writer.progress("service_connectors", done, total);
  }
  return done;
}

async function putConnector(writer: SharedWriter, mapping: Mapping, one: Entity): Promise<void> {
  const type = nameOfType(fieldOf(one, "connector_type"));
  const method = textOf(one, "auth_method") ?? "";
  const resources = listOf(fieldOf(one, "resource_types"));
  const specification = specificationOf(
    getConnectorType(type),
    method,
    resources.length === 1 ? resources[0] : undefined,
  );
  const { plain, secrets } = splitConfiguration(specification.method, {
    ...recordOf(one, "configuration"),
    ...recordOf(one, "secrets"),
  });
  await put(writer, serviceConnectors, [
    {
      id: one.id,
      user_id: mapping.users.get(userOf(one)),
      name: one.name ?? "",
      description: textOf(one, "description") ?? "",
      connector_type: type,
      auth_method: method,
      resource_types: resources,
      resource_id: textOf(one, "resource_id"),
      supports_instances: flagOf(one, "supports_instances"),
      expires_at: timeOf(one, "expires_at"),
      expires_skew_tolerance: numberOf(one, "expires_skew_tolerance"),
      expiration_seconds: numberOf(one, "expiration_seconds"),
      configuration_json: JSON.stringify(plain),
      sealed_secrets:
        Object.keys(secrets).length === 0
          ? null
          : writer.secrets.seal(JSON.stringify(secrets), connectorPlace(one.id)),
      labels_json: objectJsonOf(one, "labels"),
      ...stampsOf(one),
    },
  ]);
  mapping.connectors.put(one.id, one.id);
}

/** A name, or all that is known of the type. */
const nameOfType = (value: unknown): string =>
  typeof value === "object" && value !== null && "connector_type" in value
    ? String(value.connector_type)
    : String(value);

const listOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
