import type { TriggerRow } from "../../modules/pipelines/index.ts";
import { entity, iso, json, projectBody, type ViewContext } from "./envelope.ts";

/** Of one that is off, nothing is next. */
export function triggerBody(row: TriggerRow, context: ViewContext): object {
  const next = row.active && !row.is_archived ? iso(row.next_occurrence) : null;
  const about =
    row.type === "webhook"
      ? { configuration: json(row.data_json), webhook_id: row.webhook_id }
      : (JSON.parse(row.data_json) as object);
  return {
    ...projectBody(row, context),
    name: row.name,
    active: row.active,
    type: row.type,
    flavor: row.flavor,
    concurrency: row.concurrency,
    is_archived: row.is_archived,
    ...about,
    ...(row.type === "schedule" ? { next_occurrence: next } : {}),
  };
}

/** As runs show it that it began. */
export const triggerSummary = (row: TriggerRow, context: ViewContext): object =>
  entity({ id: row.id }, { body: triggerBody(row, context) });
