import type { Difference } from "./differences.ts";

/** Where Plinth answers otherwise than `mlflow server --app-name basic-auth` 3.17.2 on purpose. */
export const authDifferences: readonly Difference[] = [];
