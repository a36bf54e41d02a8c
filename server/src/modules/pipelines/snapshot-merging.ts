import { dagNodeOf } from "./dag-nodes.ts";
import type { NewSnapshotStep } from "./snapshot-steps.sql.ts";
import { maxRetriesOf, mergeStepConfiguration, propagatedBy, type JsonObject } from "./step-configuration.ts";
import { checkStepGraph } from "./step-graph.ts";

export type GivenStep = { spec: JsonObject & { upstream_steps: readonly string[] }; overrides: JsonObject };

type GivenSteps = {
  isDynamic: boolean;
  /** Of the pipeline. */
  configuration: JsonObject;
  /** By name, in the client's order. */
  steps: ReadonlyMap<string, GivenStep>;
};

/** Steps with what holds for them in the end. Throws for a step that waits for itself, or for one that is not there. */
export function mergeSteps({ isDynamic, configuration, steps }: GivenSteps): NewSnapshotStep[] {
  const given = [...steps];
  // Which steps a dynamic pipeline runs, and in which order, shows when it runs.
  if (!isDynamic) {
    checkStepGraph(given.map(([name, { spec }]) => ({ name, upstream: spec.upstream_steps })));
  }
  const pipeline = propagatedBy(configuration, { isDynamic });
  return given.map(([name, { spec, overrides }]) => {
    const config = mergeStepConfiguration(overrides, pipeline);
    const overridesJson = JSON.stringify(overrides);
    return {
      name,
      upstream: spec.upstream_steps,
      spec_json: JSON.stringify(spec),
      overrides_json: overridesJson,
      config_json: isSameStep(overrides, config, pipeline) ? overridesJson : JSON.stringify(config),
      node_json: JSON.stringify(dagNodeOf(spec, config)),
      max_retries: maxRetriesOf(config),
    };
  });
}

/** Most pipelines say nothing for their steps; their configurations are written once, then. */
const isSameStep = (
  overrides: JsonObject,
  config: JsonObject,
  pipeline: Readonly<Record<string, unknown>>,
): boolean =>
  Object.keys(pipeline).every(
    (field) =>
      Object.hasOwn(overrides, field) && JSON.stringify(config[field]) === JSON.stringify(overrides[field]),
  );
