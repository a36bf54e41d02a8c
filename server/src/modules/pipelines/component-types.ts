/** Every type of stack component, as ZenML 0.98 calls them and in its order. */
export const componentTypes = [
  "alerter",
  "annotator",
  "artifact_store",
  "container_registry",
  "data_validator",
  "experiment_tracker",
  "feature_store",
  "image_builder",
  "log_store",
  "model_deployer",
  "orchestrator",
  "step_operator",
  "model_registry",
  "deployer",
  "sandbox",
] as const;

export type ComponentType = (typeof componentTypes)[number];

const repeatable: ReadonlySet<string> = new Set<ComponentType>([
  "alerter",
  "experiment_tracker",
  "step_operator",
  "sandbox",
]);

/** Whether a stack may have several components of this type. */
export const isRepeatable = (type: string): boolean => repeatable.has(type);
