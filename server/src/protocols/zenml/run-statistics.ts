import { z } from "zod";
import { reads } from "../../kernel/access.ts";
import { computeRunStatistics, type Database, type Grouping } from "../../modules/pipelines/index.ts";
import type { ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlEndpoint } from "./endpoint.ts";
import { integer, jsonObject } from "./fields.ts";
import { parseListQuery, type Parameters } from "./list-query.ts";

const named = { name: z.string().min(1, "String should have at least 1 character") };

const grouping = z.discriminatedUnion("type", [
  z.object({
    ...named,
    type: z.enum(["status", "pipeline", "snapshot", "source_snapshot", "stack", "trigger", "user", "tag"]),
  }),
  z.object({ ...named, type: z.literal("time"), granularity: z.enum(["hour", "day", "week", "month"]) }),
  z.object({ ...named, type: z.literal("metadata"), metadata_key: z.string() }),
]);

const aggregation = { aggregation: z.enum(["avg", "sum", "min", "max"]) };

const metric = z.discriminatedUnion("source", [
  z.object({
    ...named,
    ...aggregation,
    source: z.enum(["duration", "step_count", "cached_step_count", "output_artifact_count"]),
  }),
  z.object({ ...named, ...aggregation, source: z.literal("metadata"), metadata_key: z.string() }),
]);

const differ = (given: readonly { name: string }[]): boolean =>
  new Set(given.map(({ name }) => name)).size === given.length;

const request = z.object({
  filter: jsonObject,
  groupings: z
    .array(grouping)
    .default(() => [])
    .refine(differ, "Value error, Duplicate grouping names are not allowed.")
    .refine(
      (given) => given.filter(({ type }) => type === "time").length <= 1,
      "Value error, At most one time grouping is allowed.",
    ),
  metrics: z
    .array(metric)
    .default(() => [])
    .refine(differ, "Value error, Duplicate metric names are not allowed."),
  max_groups: integer
    .refine((count) => count > 0 && count <= 10_000, "Input should be a whole number of 1 to 10000")
    .default(1000),
});

export function runStatisticsEndpoints(context: ZenmlContext, database: Database): ZenmlEndpoint[] {
  const { runs } = context.pipelines;
  return [
    endpoint({
      method: "POST",
      path: "/runs/statistics",
      access: reads("pipeline"),
      body: request,
      async handle(call) {
        const { filter, groupings, metrics, max_groups: maxGroups } = call.body;
        const parameters = asParameters(filter);
        const { request: from } = call;
        const scope = await context.enterListed({ parameters, request: from });
        const { groups, truncated } = await computeRunStatistics(database, {
          query: parseListQuery(parameters, runs.fields, call),
          workspaceId: scope.workspaceId,
          groupings,
          metrics,
          maxGroups,
        });
        return {
          groups: groups.map((group) => ({
            group_keys: Object.fromEntries(
              groupings.map((one, at) => [one.name, readKey(one, group.keys[at] ?? null)]),
            ),
            metrics: Object.fromEntries(metrics.map(({ name }, at) => [name, group.metrics[at] ?? null])),
            run_count: group.runs,
          })),
          truncated,
        };
      },
    }),
  ];
}

/** Filters as a list has them in its address. */
const asParameters = (filter: Readonly<Record<string, unknown>>): Parameters =>
  new Map(
    Object.entries(filter).flatMap(([name, value]): [string, string[]][] =>
      value === null
        ? []
        : [[name, [value].flat().map((one) => (typeof one === "string" ? one : JSON.stringify(one)))]],
    ),
  );

/** Values of metadata that are lists or objects make no name of a group. */
function readKey({ type }: Grouping, key: string | null): unknown {
  if (type !== "metadata" || key === null) return key;
  const value = JSON.parse(key) as unknown;
  return typeof value === "object" ? null : value;
}
