// The same requests go to a real `mlflow server` 3.17.2 and to Plinth; status, error code, message and body must be equal.
import { startReference } from "../src/target.ts";
import { scenarios } from "./cases/index.ts";
import { differences } from "./differences.ts";
import { registryDifferences } from "./registry-differences.ts";
import { compareServers } from "./side-by-side.ts";
import { webhookDifferences } from "./webhook-differences.ts";

compareServers({
  scenarios,
  differences: [...differences, ...registryDifferences, ...webhookDifferences],
  startReference: () => startReference(),
});
