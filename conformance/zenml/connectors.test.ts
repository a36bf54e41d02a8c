// Connectors that connect: the server itself asks AWS, as moto plays it, what a key reaches, and lends keys that end.
import { expect, it } from "vitest";
import { zenmlClients } from "../src/environment.ts";
import { plinthOfThisFile } from "../src/flow-test.ts";
import { startGuardedPlinth } from "../src/target.ts";
import { asAdmin, runZenmlFlow } from "./flow.ts";
import { motoOfThisFile } from "./moto.ts";

const plinth = plinthOfThisFile(startGuardedPlinth);
const moto = motoOfThisFile();

it.concurrent.each(zenmlClients)("zenml %s connects to AWS", async (version) => {
  const name = `v${version.replaceAll(".", "")}`;
  const { url } = plinth();
  const seen = await runZenmlFlow({
    version,
    script: "connectors",
    url,
    args: [name, moto().url],
    env: asAdmin(url),
  });
  const lent = { auth_method: "sts-token", keeps_key: false, has_token: true, expires: true };
  const resource = { resource_id: `s3://bucket-${name}` };
  expect(seen).toEqual({
    registered: [true, null, true],
    role: [null, true, ["us-east-1"]],
    session: [null, true],
    clients: {
      plain: { ...resource, auth_method: "secret-key", keeps_key: true, has_token: false, expires: false },
      role: { ...resource, ...lent },
      session: { ...resource, ...lent },
    },
    listed: [`${name}-plain`, `${name}-role`, `${name}-session`],
    labelled: [`${name}-plain`],
    updated: ["changed", `bucket-${name}`, true],
    secrets: "test-secret",
    refused: ["ValueError", "EntityExistsError", "AuthorizationException"],
    deleted: "KeyError",
  });
});
