import type { Scenario } from "../requests.ts";
import { sharedScenarios } from "./shared.ts";

export const scenarios: readonly Scenario[] = [...sharedScenarios];
