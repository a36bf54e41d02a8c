// The same requests go to ZenML's own server 0.98.0 and to Plinth; status and body must be equal.
import { accountDifferences } from "./account-differences.ts";
import { automationDifferences } from "./automation-differences.ts";
import { scenarios } from "./cases/index.ts";
import { differences } from "./differences.ts";
import { compareWithZenml } from "./side-by-side.ts";

compareWithZenml({
  version: "0.98.0",
  scenarios,
  differences: [...differences, ...accountDifferences, ...automationDifferences],
});
