// What runs write and make, as the dashboard reads it: the server finds it in a bucket, or keeps it itself for a log
// store of ZenML's own flavor `otel` that is pointed at it.
import { expect, it } from "vitest";
import { ensureZenmlIntegrations, zenmlClients } from "../src/environment.ts";
import { plinthOfThisFile } from "../src/flow-test.ts";
import { admin, startGuardedPlinth } from "../src/target.ts";
import { asAdmin, runZenmlFlow } from "./flow.ts";
import { motoOfThisFile } from "./moto.ts";

const plinth = plinthOfThisFile(startGuardedPlinth);
const moto = motoOfThisFile();

/** A key of the administrator's own. */
async function newKey(name: string): Promise<string> {
  const authorization = `Basic ${Buffer.from(`${admin.username}:${admin.password}`).toString("base64")}`;
  const answer = await fetch(`${plinth().url}/console/api/me/keys`, {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body: JSON.stringify({ name }),
  });
  expect(answer.status, await answer.clone().text()).toBe(201);
  return ((await answer.json()) as { key: string }).key;
}

const ofPages = [true, true, ["line 217 of the step"]];

it.concurrent.each(zenmlClients)("zenml %s leaves logs that are read page by page", async (version) => {
  const name = `v${version.replaceAll(".", "")}`;
  const isNew = version === "0.98.0";
  const seen = await runZenmlFlow({
    version,
    script: "logs",
    url: plinth().url,
    args: [name, moto().url, await newKey(`logs-${name}`)],
    environment: await ensureZenmlIntegrations(version),
    // The client asks whether the bucket keeps versions, without the address of its configuration.
    env: { ...asAdmin(plinth().url), AWS_ENDPOINT_URL: moto().url },
  });
  expect(seen).toEqual({
    bucket: ["completed", true, ...(isNew ? ofPages : [])],
    shown: ["html", true],
    downloaded: [true, true],
    ...(isNew ? { plinth: ["completed", true, ...ofPages] } : {}),
  });
});
