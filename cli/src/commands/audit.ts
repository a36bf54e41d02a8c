import { once } from "node:events";
import { auditEvents, type AuditEvent } from "@plinth/contract";
import { openApi } from "../api-choice.ts";
import { pathOf, type Query } from "../api.ts";
import { readMoment, timeText } from "../duration.ts";
import { CommandFailure, exitCodes, type ExitCode } from "../failure.ts";
import { table } from "../output.ts";
import type { Call } from "../program.ts";

/** The newest events that fit. */
export async function listAudit(call: Call): Promise<ExitCode> {
  const { output, options } = call;
  const limit = readLimit(options["limit"]);
  const filter = filterOf(options);
  await using api = await openApi(call);
  const events: AuditEvent[] = [];
  let next: string | undefined;
  do {
    const query = { ...filter, max_results: Math.min(1000, limit - events.length), page_token: next };
    const page = auditEvents.parse(await api.request("GET", pathOf("audit"), { query }));
    events.push(...page.events);
    next = page.next_page_token;
  } while (next !== undefined && events.length < limit);
  output.answer(
    { events },
    events.length === 0
      ? ["Nothing of that kind is in the audit log."]
      : table(["TIME", "WHO", "FROM", "OUTCOME", "ACTION", "ON", "TIMES"], events.map(columns)),
  );
  return exitCodes.ok;
}

const columns = (event: AuditEvent): string[] => [
  timeText(event.at),
  event.principal ?? "-",
  event.address,
  event.outcome,
  event.action,
  [event.resource_type, event.resource_id].filter((part) => part !== null).join(" ") +
    (event.workspace === null ? "" : ` in ${event.workspace}`) +
    detailsOf(event),
  event.count === 1 ? "" : String(event.count),
];

/** How a request was sent is for the JSON. */
function detailsOf({ details }: AuditEvent): string {
  const shown = Object.entries(details ?? {}).filter(([name]) => name !== "method" && name !== "request_id");
  return shown.length === 0 ? "" : ` (${shown.map(([name, value]) => `${name} ${value}`).join(", ")})`;
}

/** All events that fit, oldest first, one JSON object a line: for what keeps and searches logs. */
export async function exportAudit(call: Call): Promise<ExitCode> {
  const filter = filterOf(call.options);
  await using api = await openApi(call);
  for await (const chunk of api.stream(pathOf("audit", "export"), filter)) {
    if (!process.stdout.write(chunk)) await once(process.stdout, "drain");
  }
  return exitCodes.ok;
}

function filterOf(options: Call["options"]): Query {
  const text = (name: string): string | undefined =>
    typeof options[name] === "string" ? options[name] : undefined;
  const moment = (name: string): number | undefined => {
    const given = text(name);
    return given === undefined ? undefined : readMoment(given, `--${name}`);
  };
  const [resource_type, ...id] = text("resource")?.split("/") ?? [];
  return {
    from: moment("from"),
    to: moment("to"),
    principal: text("principal"),
    action: text("action"),
    resource_type,
    resource_id: id.length === 0 ? undefined : id.join("/"),
    workspace: text("workspace"),
    outcome: text("outcome"),
    address: text("address"),
  };
}

function readLimit(given: unknown): number {
  const limit = Number(given ?? 100);
  if (Number.isInteger(limit) && limit >= 1 && limit <= 100_000) return limit;
  throw new CommandFailure("--limit must be a whole number from 1 to 100000.", exitCodes.wrongCall);
}
