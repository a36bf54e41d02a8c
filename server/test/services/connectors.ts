import { createMicroClock } from "../../src/kernel/micros.ts";
import { createOutbound } from "../../src/kernel/outbound/outbound.ts";
import { checked } from "../../src/modules/pipelines/connector-rows.ts";
import {
  publicPlaces,
  type Connector,
  type Places,
  type Tools,
} from "../../src/modules/pipelines/connectors/connector.ts";
import { createTools } from "../../src/modules/pipelines/connectors/tools.ts";

/** What drivers work with, over the real guarded client. */
export const toolsFor = (places: Partial<Places> = {}, allowed = ["127.0.0.1", "localhost"]): Tools =>
  createTools({
    outbound: createOutbound({ allowed, userAgent: "test" }),
    clock: createMicroClock(() => Date.now()),
    places: { ...publicPlaces, ...places },
  });

type Given = {
  type: string;
  method: string;
  configuration: Record<string, unknown>;
  resourceType?: string;
  resourceId?: string;
  expiresAt?: number;
};

/** A saved connector, as its rules let it be. */
export const connectorOf = ({ type, method, configuration, resourceType, ...more }: Given): Connector => ({
  ...checked({
    name: "one",
    connectorType: type,
    description: "",
    authMethod: method,
    resourceTypes: resourceType === undefined ? [] : [resourceType],
    resourceId: more.resourceId ?? null,
    expiresAt: more.expiresAt ?? null,
    expiresSkewTolerance: null,
    expirationSeconds: null,
    configuration,
    labels: {},
  }).connector,
  id: "0a0a0a0a-0000-4000-8000-000000000000",
  name: "one",
});
