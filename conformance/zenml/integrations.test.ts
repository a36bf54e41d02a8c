// A stack as people have it: artifacts and logs on S3 by secrets, experiments in Plinth's own MLflow, one login for both.
import { expect, it } from "vitest";
import { ensureZenmlIntegrations, zenmlClients } from "../src/environment.ts";
import { plinthOfThisFile } from "../src/flow-test.ts";
import { startGuardedPlinth } from "../src/target.ts";
import { asAdmin, runZenmlFlow } from "./flow.ts";
import { motoOfThisFile } from "./moto.ts";

const plinth = plinthOfThisFile(startGuardedPlinth);
const moto = motoOfThisFile();

it.concurrent.each(zenmlClients)(
  "zenml %s keeps artifacts on S3 and experiments in MLflow",
  async (version) => {
    const name = `v${version.replaceAll(".", "")}`;
    const seen = await runZenmlFlow({
      version,
      script: "integrations",
      url: plinth().url,
      args: [name, moto().url],
      environment: await ensureZenmlIntegrations(version),
      // The client 0.84.0 asks for a bucket's versioning without the address that its component names.
      env: { ...asAdmin(plinth().url), AWS_ENDPOINT_URL: moto().url, MLFLOW_DISABLE_TELEMETRY: "true" },
    });
    expect(seen).toEqual({
      run: ["completed", true],
      artifact: [true, [0.5]],
      objects: true,
      tracked: [{ rate: "0.5" }, { loss: 0.25 }, true, "FINISHED", true],
      logs: [200, true],
    });
  },
);
