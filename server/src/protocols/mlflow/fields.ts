import { missingParameter, enumOf, message, string, type Values } from "./wire.ts";

/** Fields and messages that several endpoints share. */

export const runStatus = enumOf({ RUNNING: 1, SCHEDULED: 2, FINISHED: 3, FAILED: 4, KILLED: 5 });

export const viewType = enumOf({ ACTIVE_ONLY: 1, DELETED_ONLY: 2, ALL: 3 });

export const keyValue = message({ key: string, value: string });

/** `run_id`, or its old name. */
export function runIdOf(values: Values): string {
  const id = (values["run_id"] as string | undefined) || (values["run_uuid"] as string | undefined);
  if (id === undefined) throw missingParameter("run_id");
  return id;
}
