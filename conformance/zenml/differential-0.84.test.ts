// As differential.test.ts, beside ZenML's own server 0.84.0, and asked as its clients ask.
import { accountDifferences } from "./account-differences.ts";
import { automationDifferences } from "./automation-differences.ts";
import { scenarios } from "./cases/index.ts";
import { differences } from "./differences.ts";
import { compareWithZenml } from "./side-by-side.ts";

compareWithZenml({
  version: "0.84.0",
  scenarios,
  differences: [...differences, ...accountDifferences, ...automationDifferences],
});
