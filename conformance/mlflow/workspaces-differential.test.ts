// As differential.test.ts, beside a `mlflow server` that was started with `--enable-workspaces`.
import { startReference } from "../src/target.ts";
import { workspaces } from "./cases/workspaces.ts";
import { compareServers } from "./side-by-side.ts";
import { workspaceDifferences } from "./workspace-differences.ts";

compareServers({
  scenarios: workspaces,
  differences: workspaceDifferences,
  startReference: () => startReference(["--enable-workspaces"]),
});
