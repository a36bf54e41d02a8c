import { publicAccess, reads, uses } from "../../kernel/access.ts";
import { PlinthError } from "../../kernel/errors.ts";
import {
  isUuid,
  readTargets,
  supportedEvents,
  type AskedTriggers,
  type TriggerRow,
} from "../../modules/pipelines/index.ts";
import { userIdOf, type ProjectScope } from "./access.ts";
import { within, type ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { entity, json } from "./envelope.ts";
import { invalidFilter, invalidRequest } from "./errors.ts";
import { hyphenated } from "./fields.ts";
import { pageOf, readFlag, type Parameters } from "./list-query.ts";
import {
  dataOf,
  flavorOf,
  sourceType,
  subjectOf,
  triggerRequest,
  triggerUpdate,
  type TriggerRequest,
  type TriggerUpdate,
} from "./trigger-requests.ts";
import { completeConfigurations, runConfigurationRequest } from "./run-configuration-request.ts";
import { readerOf } from "./secrets.ts";
import { versionFor } from "./server-info.ts";
import { triggerBody } from "./trigger-views.ts";
import { webhookSummary } from "./webhook-views.ts";
import { viewOne } from "./reading.ts";

const ONE = "/triggers/:trigger_id";
const ATTACHED = `${ONE}/pipeline_snapshots/:snapshot_id`;

export function triggerEndpoints(context: ZenmlContext): ZenmlEndpoint[] {
  const { access } = context;
  const { triggers, webhooks } = context.pipelines;

  const views = async (call: ZenmlCall, rows: readonly TriggerRow[], hydrate: boolean): Promise<object[]> => {
    const shown = context.viewContext(call);
    const related = context.relatedFor(call);
    const ids = rows.map((row) => row.id);
    const [users, links, latest, hooks] = await Promise.all([
      related.users(rows.map((row) => row.user_id)),
      triggers.attachedTo(ids),
      triggers.latestRunIds(ids),
      webhooks.findAll(rows.map((row) => row.webhook_id)),
    ]);
    const [snapshots, runs] = await Promise.all([
      related.snapshots(links.flatMap((one) => [one.snapshot_id, one.source_snapshot_id])),
      related.runs([...latest.values()]),
    ]);
    const linksOf = Map.groupBy(links, (link) => link.trigger_id);
    return rows.map((row) => {
      const own = linksOf.get(row.id) ?? [];
      const hook = hooks.get(row.webhook_id ?? "");
      return entity(
        { id: row.id },
        {
          body: triggerBody(row, shown),
          metadata: hydrate ? {} : null,
          resources: {
            user: users.get(row.user_id ?? "") ?? null,
            snapshots: own.map((one) => snapshots.get(one.source_snapshot_id ?? one.snapshot_id) ?? null),
            executable_snapshots: own.map((one) => snapshots.get(one.snapshot_id) ?? null),
            latest_run: runs.get(latest.get(row.id) ?? "") ?? null,
            webhook: hook === undefined ? null : webhookSummary(hook, shown),
            snapshot_dispatch_states: Object.fromEntries(
              own.flatMap((one) =>
                one.dispatch_state_json === null
                  ? []
                  : [[one.source_snapshot_id ?? one.snapshot_id, json(one.dispatch_state_json)]],
              ),
            ),
          },
        },
      );
    });
  };

  const view = viewOne(views);

  /** What is kept of a body; that its webhook is in the project is asked when the trigger is made. */
  const keptOf = async (body: TriggerRequest | TriggerUpdate, webhookId: string | null): Promise<string> => {
    if (body.type !== "webhook") return JSON.stringify(dataOf(body));
    const hook = webhookId === null ? undefined : await webhooks.find(webhookId);
    try {
      return JSON.stringify(
        hook === undefined ? body.configuration : readTargets(hook.webhook_type, body.configuration),
      );
    } catch (error) {
      return asInvalid(error);
    }
  };

  const enter = async (
    call: ZenmlCall,
    action: "read" | "edit",
  ): Promise<{ row: TriggerRow; project: ProjectScope }> => {
    const row = await triggers.get(call.path["trigger_id"] ?? "");
    return {
      row,
      project: await access.enterProjectOf(call.request, row, { action, label: triggers.label }),
    };
  };

  return [
    endpoint({
      method: "GET",
      path: "/triggers",
      access: reads("pipeline"),
      async handle(call) {
        refuseOld(call);
        const scope = await context.enterListed(call);
        const query = context.listQuery(call, triggers.fields);
        const { total, rows } = await triggers.search(query, {
          where: [within(scope)],
          asked: askedBy(call.parameters),
        });
        return pageOf(query, { total, items: await views(call, rows, query.hydrate) });
      },
    }),
    endpoint({
      method: "POST",
      path: "/triggers",
      access: uses("pipeline"),
      body: triggerRequest,
      async handle(call) {
        refuseOld(call);
        const { body } = call;
        const project = await access.enterProject(call.request, body.project, "use");
        const webhookId = body.type === "webhook" ? body.webhook_id : null;
        const row = await triggers
          .create(
            {
              id: call.newId(),
              workspace_id: project.workspaceId,
              user_id: userIdOf(call.request),
              name: body.name,
              flavor: flavorOf[body.type],
              active: body.active,
              concurrency: body.concurrency,
              data_json: await keptOf(body, webhookId),
              webhook_id: webhookId,
            },
            { project, subject: subjectOf(body) },
          )
          .catch(asInvalid);
        return view(call, row);
      },
    }),
    endpoint({
      method: "GET",
      path: ONE,
      access: reads("pipeline"),
      async handle(call) {
        refuseOld(call);
        const { row } = await enter(call, "read");
        return view(call, row, readFlag(call.parameters, "hydrate", true));
      },
    }),
    endpoint({
      method: "PUT",
      path: ONE,
      access: uses("pipeline"),
      body: triggerUpdate,
      async handle(call) {
        refuseOld(call);
        const { row, project } = await enter(call, "edit");
        const { body } = call;
        const changes = {
          name: body.name,
          ...(body.active === undefined ? {} : { active: body.active }),
          ...(body.concurrency === undefined ? {} : { concurrency: body.concurrency }),
          data_json: await keptOf(body, row.webhook_id),
        };
        const options = { project, subject: subjectOf(body, row) };
        return view(call, await triggers.update(row.id, changes, options).catch(asInvalid));
      },
    }),
    endpoint({
      method: "DELETE",
      path: ONE,
      access: uses("pipeline"),
      async handle(call) {
        refuseOld(call);
        const { row } = await enter(call, "edit");
        await triggers.remove(row.id, { soft: readFlag(call.parameters, "soft", true) });
        return null;
      },
    }),
    endpoint({
      method: "PUT",
      path: ATTACHED,
      access: uses("pipeline"),
      body: runConfigurationRequest,
      async handle(call) {
        const { row, project } = await enter(call, "edit");
        await access.enterProject(call.request, project.projectId, "use");
        await triggers.attach(row, call.path["snapshot_id"] ?? "", {
          project,
          replaces: readFlag(call.parameters, "allow_replace", false),
          update: call.body,
          complete: completeConfigurations,
          reader: readerOf(call.request),
          version: versionFor(call.request),
          newId: call.newId,
        });
        return null;
      },
    }),
    endpoint({
      method: "DELETE",
      path: ATTACHED,
      access: uses("pipeline"),
      async handle(call) {
        const { row } = await enter(call, "edit");
        await triggers.detach(row.id, call.path["snapshot_id"] ?? "");
        return null;
      },
    }),
    endpoint({
      method: "DELETE",
      path: `${ONE}/dispatch_state`,
      access: uses("pipeline"),
      async handle(call) {
        const { row } = await enter(call, "edit");
        const snapshotId = call.query["snapshot_id"];
        const one = snapshotId === undefined ? null : hyphenated(snapshotId);
        if (one !== null && !isUuid(one)) throw noId("snapshot_id");
        await triggers.clearErrors(row.id, one);
        return null;
      },
    }),
    endpoint({
      method: "GET",
      path: "/supported-events",
      access: publicAccess,
      handle({ query }) {
        const read = sourceType.safeParse(query["source_type"]);
        if (!read.success) {
          const isMissing = query["source_type"] === undefined;
          const msg = isMissing
            ? "Field required"
            : "Input should be pipeline, pipeline_run or pipeline_snapshot";
          throw invalidRequest([
            { type: isMissing ? "missing" : "enum", loc: ["query", "source_type"], msg },
          ]);
        }
        return Object.entries(supportedEvents[read.data]).map(([value, description]) => ({
          value,
          description,
        }));
      },
    }),
  ];
}

const noId = (name: string): PlinthError =>
  invalidRequest([{ type: "uuid_parsing", loc: ["query", name], msg: "Input should be a valid UUID" }]);

const askedBy = (parameters: Parameters): AskedTriggers => ({
  isArchived: readFlag(parameters, "is_archived", false),
  types: parameters.get("type") ?? [],
  flavors: parameters.get("flavor") ?? [],
  pipelineIds: parameters.get("pipeline_id") ?? [],
  snapshotIds: parameters.get("snapshot_id") ?? [],
});

/** What is wrong with a time or an event is answered like a body that does not fit. */
function asInvalid(error: unknown): never {
  throw error instanceof PlinthError && error.code === "invalid_parameter"
    ? invalidFilter(error.message)
    : error;
}

/** Triggers of 0.84 are another thing of the same name. */
function refuseOld({ isOld, request }: ZenmlCall): void {
  if (isOld) throw new PlinthError("unknown_endpoint", `There is no ${request.url} for this client.`);
}
