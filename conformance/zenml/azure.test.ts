// What runs write to Azure's blob storage (Azurite), which the server reads by what the store's secret holds.
import { afterAll, beforeAll, expect, it } from "vitest";
import { ensureAzure, zenmlClients } from "../src/environment.ts";
import { packagesOf } from "../src/python.ts";
import { startGuardedPlinth, type Target } from "../src/target.ts";
import { startAzurite, type Azurite } from "./azurite.ts";
import { asAdmin, runZenmlFlow, scripts } from "./flow.ts";

let target: Target;
let azurite: Azurite;

beforeAll(async () => {
  [target, azurite] = await Promise.all([startGuardedPlinth(), startAzurite()]);
});
afterAll(async () => {
  await azurite?.stop();
  if (target) expect(await target.stop()).toBe(0);
});

const lines = Number(process.env["PLINTH_AZURE_LINES"] ?? 200_000);

it.each(zenmlClients)("zenml %s keeps logs and artifacts in Azure's storage", async (version) => {
  const name = `v${version.replaceAll(".", "")}`;
  const isNew = version === "0.98.0";
  const seen = await runZenmlFlow({
    version,
    script: "azure_store",
    url: target.url,
    args: [name, azurite.connection, String(lines)],
    env: { ...asAdmin(target.url), PYTHONPATH: [scripts, packagesOf(await ensureAzure())].join(":") },
  });
  const logs = isNew ? [true, true, ["line 217 of the step"]] : true;
  const read = ["completed", true, logs, true, true];
  const pages = [
    [-100, -1],
    [-200, -101],
    [0, 99],
  ];
  expect(seen).toEqual({
    key: read,
    signature: read,
    ...(isNew ? { long: pages } : {}),
    deleted: [200, {}],
    refused: [501, true],
  });
});
