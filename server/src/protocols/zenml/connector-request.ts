import { z } from "zod";
import type { ConnectorChanges, ConnectorRequest } from "../../modules/pipelines/index.ts";
import { entityName, integer, jsonObject, longText, shortText, time } from "./fields.ts";

/** A type by its name, or all that the client knows of it. */
const connectorType = z.union([
  shortText,
  z.looseObject({ connector_type: shortText }).transform((given) => given.connector_type),
]);
/** What PostgreSQL can look into. */
const label = z.string().refine((text) => !text.includes("\0"), {
  message: "Input should be text without null characters",
});
const labels = z.record(label, label);
const seconds = integer.pipe(z.number().min(-2_147_483_648).max(2_147_483_647));

export const connectorRequest = z
  .object({
    name: entityName,
    connector_type: connectorType,
    description: longText.default(""),
    auth_method: shortText,
    resource_types: z.array(shortText).default([]),
    resource_id: shortText.nullish(),
    expires_at: time.nullish(),
    expires_skew_tolerance: seconds.nullish(),
    expiration_seconds: seconds.nullish(),
    configuration: jsonObject.default({}),
    labels: labels.default({}),
  })
  .transform((body): ConnectorRequest => ({
    name: body.name,
    connectorType: body.connector_type,
    description: body.description,
    authMethod: body.auth_method,
    resourceTypes: body.resource_types,
    resourceId: body.resource_id || null,
    expiresAt: body.expires_at ?? null,
    expiresSkewTolerance: body.expires_skew_tolerance ?? null,
    expirationSeconds: body.expiration_seconds ?? null,
    configuration: body.configuration,
    labels: body.labels,
  }));

export const connectorUpdate = z
  .object({
    name: entityName.nullish(),
    connector_type: connectorType.nullish(),
    description: longText.nullish(),
    auth_method: shortText.nullish(),
    resource_types: z.array(shortText).nullish(),
    resource_id: shortText.nullish(),
    expires_at: time.nullish(),
    expires_skew_tolerance: seconds.nullish(),
    expiration_seconds: seconds.nullish(),
    configuration: jsonObject.nullish(),
    labels: labels.nullish(),
  })
  .transform((body): ConnectorChanges => {
    const said = {
      name: body.name,
      connectorType: body.connector_type,
      description: body.description,
      authMethod: body.auth_method,
      resourceTypes: body.resource_types,
      expiresAt: body.expires_at,
      expiresSkewTolerance: body.expires_skew_tolerance,
      configuration: body.configuration,
      labels: body.labels,
    };
    return {
      ...Object.fromEntries(
        Object.entries(said).filter(([, value]) => value !== null && value !== undefined),
      ),
      resourceId: body.resource_id || null,
      expirationSeconds: body.expiration_seconds || null,
    };
  });
