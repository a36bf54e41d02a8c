import { invalidParameter } from "../../../kernel/errors.ts";
import type { Configuration } from "./connector.ts";
import type { ConnectorType } from "./connector-type.ts";
import { checkRegistry } from "./docker.ts";
import { keyAttributes, readKey } from "./gcp-key.ts";

/** Attributes that are addresses. */
const addresses = ["endpoint_url", "server", "api_url", "token_url"];

/**
 * Values that can be seen to be wrong without asking anybody: addresses that are none, keys that are not what they are
 * said to be. Throws `invalid_parameter`, which names the attribute and shows no value.
 */
export function checkConfiguration(type: ConnectorType, configuration: Configuration): void {
  for (const name of addresses) {
    const value = configuration[name];
    if (typeof value !== "string" || value === "") continue;
    if (URL.canParse(value) && /^https?:\/\//i.test(value)) continue;
    throw invalidParameter(
      `connector configuration is not valid: attribute '${name}' must be an address such as https://host`,
    );
  }
  const registry = configuration["registry"];
  if (type.connector_type === "docker" && typeof registry === "string" && registry !== "")
    checkRegistry(registry);
  for (const attribute of keyAttributes) {
    if (configuration[attribute] !== undefined) readKey(configuration, attribute);
  }
}
