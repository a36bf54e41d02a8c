import { commonLabels } from "../../names.ts";
import type { Plan } from "../../plan.ts";
import type { Exposure } from "../../spec/components.ts";
import {
  call,
  ref,
  type Reason,
  type Resource,
  type TerraformBody,
  type TerraformValue,
} from "../resource.ts";
import {
  commented,
  extended,
  output,
  resource,
  terraformFile,
  variable,
  type Draft,
} from "../terraform-block.ts";
import { backendResource, remoteState, stageFolder, versionsResource } from "../terraform-state.ts";
import { platformStack } from "./platform-stack.ts";
import {
  componentName,
  connectorName,
  connectorSecrets,
  encoded,
  identifier,
  type ComponentSpec,
  type ConnectorSpec,
  type Registration,
} from "./registration.ts";

const folder = stageFolder("stacks");

/** Port on this machine that `make port-forward-zenml` makes ZenML's server answer on. */
export const zenmlLocalPort = 8237;

/** Stage 3: what is registered with ZenML's server once it runs. */
export function stacksStage(plan: Plan): Resource[] {
  const { environment, pipelines } = plan;
  if (environment.pipelines.engine !== "zenml" || pipelines === undefined) return [];
  const { stacks } = environment;
  const isOwn = stacks.stacks.length === 0 && stacks.components.length === 0;
  const { registration, variables } = isOwn ? platformStack(plan) : configured(plan);
  const needsState =
    isOwn && (environment.target.kind === "gcp" || environment.objectStore.engine === "civo");
  const because: Reason[] = [
    isOwn
      ? { setting: "pipelines.engine", why: "A stack of what the platform has: `stacks` names none." }
      : { setting: "stacks", why: "What is to be registered with ZenML's server." },
  ];
  return [
    versionsResource(environment, folder, ["zenml"]),
    backendResource(environment, "stacks"),
    ...terraformFile(`${folder}/providers.tf`, because, [
      commented(
        { type: "provider", labels: ["zenml"], body: { server_url: ref("var.server_url") } },
        "The API key of a service account comes from ZENML_API_KEY: it stands in no file.",
      ),
    ]),
    ...terraformFile(`${folder}/variables.tf`, because, [
      serverUrl(environment.pipelines.exposure, pipelines.host),
      ...variables,
    ]),
    ...(needsState ? [remoteState(environment, "cluster", "stacks")] : []),
    ...terraformFile(`${folder}/main.tf`, because, blocksOf(plan, registration)),
    ...terraformFile(`${folder}/outputs.tf`, because, [
      output(
        "stack_commands",
        registration.stacks.map(({ name }) => `zenml stack set ${name}`),
        "Commands that choose a stack.",
      ),
    ]),
  ];
}

function serverUrl(exposure: Exposure, host: string): Draft {
  const isPublic = exposure.kind === "public" || exposure.kind === "networks";
  return extended(
    variable(
      "server_url",
      "string",
      isPublic
        ? "Address of ZenML's server."
        : "Address of ZenML's server; the default is that of `make port-forward-zenml`.",
    ),
    { default: isPublic ? `https://${host}` : `http://localhost:${zenmlLocalPort}` },
  );
}

function configured({ environment }: Plan): { registration: Registration; variables: Draft[] } {
  const { connectors, components, stacks } = environment.stacks;
  return {
    registration: { secrets: [], connectors, components, stacks },
    variables: connectors.flatMap(connectorSecrets).map(({ connector, key, variable: name }) =>
      extended(variable(name, "string", `${key} of the connector ${connector.name}.`), {
        sensitive: true,
      }),
    ),
  };
}

const REPLACED: TerraformBody = { lifecycle: { create_before_destroy: true } };

function blocksOf({ environment }: Plan, registration: Registration): Draft[] {
  const { secrets, connectors, components, stacks } = registration;
  return [
    {
      type: "locals",
      labels: [],
      body: { labels: { ...commonLabels(environment), "managed-by": "terraform" } },
      comment: "Who answers for what is registered here.",
    },
    ...secrets.map(({ name, values, why }) =>
      commented(resource("zenml_secret", identifier(name), { name, values }), why),
    ),
    ...connectors.map((connector, index) => connectorDraft(connector, index === 0)),
    ...components.map((component, index) =>
      componentDraft(component, { connectors, isFirst: connectors.length === 0 && index === 0 }),
    ),
    ...stacks.map(stackDraft),
  ];
}

const VERSIONED =
  "The end of the name changes with whatever cannot be changed in place: what is made anew stands beside the old\none until no stack uses that any more.";

function connectorDraft(connector: ConnectorSpec, isFirst: boolean): Draft {
  const { name, type, authMethod, resourceType, resourceId, configuration } = connector;
  const secrets = connectorSecrets(connector).map(({ key, variable: at }) => [key, ref(`var.${at}`)]);
  const draft = resource("zenml_service_connector", identifier(name), {
    name: connectorName(connector),
    type,
    auth_method: authMethod,
    resource_type: resourceType,
    resource_id: resourceId,
    configuration: { ...configuration, ...Object.fromEntries(secrets) },
    labels: ref("local.labels"),
    ...REPLACED,
  });
  return isFirst ? commented(draft, VERSIONED) : draft;
}

function componentDraft(
  component: ComponentSpec,
  { connectors, isFirst }: { connectors: readonly ConnectorSpec[]; isFirst: boolean },
): Draft {
  const { name, type, flavor, configuration, comment } = component;
  const connector = connectors.find((one) => one.name === component.connector);
  const entries = Object.entries(configuration).map(([key, value]): [string, TerraformValue] => [
    key,
    encoded(value),
  ]);
  const draft = resource("zenml_stack_component", identifier(name), {
    name: componentName(component, connectors),
    type,
    flavor,
    ...(entries.length === 0 ? {} : { configuration: Object.fromEntries(entries) }),
    ...(connector === undefined
      ? {}
      : {
          connector_id: ref(`zenml_service_connector.${identifier(connector.name)}.id`),
          connector_resource_id: connector.resourceId,
        }),
    labels: ref("local.labels"),
    ...REPLACED,
  });
  const text = [isFirst ? VERSIONED : undefined, comment].filter((part) => part !== undefined).join("\n");
  return text === "" ? draft : commented(draft, text);
}

const stackDraft = ({ name, components, labels }: Registration["stacks"][number]): Draft =>
  resource("zenml_stack", identifier(name), {
    name,
    components: Object.fromEntries(
      Object.entries(components).map(([type, component]) => [
        type,
        ref(`zenml_stack_component.${identifier(component)}.id`),
      ]),
    ),
    labels:
      Object.keys(labels).length === 0 ? ref("local.labels") : call("merge", ref("local.labels"), labels),
  });
