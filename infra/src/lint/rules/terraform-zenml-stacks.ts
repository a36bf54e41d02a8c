import { referencesIn } from "../../hcl/references.ts";
import type { HclExpression } from "../../hcl/syntax.ts";
import { textOf } from "../../hcl/text.ts";
import { keyOf } from "../../hcl/value.ts";
import { zenmlCatalogue } from "../../schemas/client-tables.ts";
import { nearest } from "../../schemas/nearest.ts";
import type { ModuleIndex } from "../../schemas/terraform-index.ts";
import type { Problem, Rule } from "../rule.ts";
import {
  argument,
  blocksOfKind,
  known,
  knownText,
  resolved,
  resourcesOf,
  type TerraformObject,
} from "../terraform-view.ts";
import type { Workspace } from "../workspace.ts";
import { secretsIn } from "./terraform-secrets.ts";

function* stacks(workspace: Workspace): Iterable<Problem> {
  const types = Object.keys(zenmlCatalogue().flavors);
  for (const { file, block, index, address } of resourcesOf(workspace, "zenml_stack")) {
    const written = argument(block.body, "components");
    const expression = written === undefined ? undefined : resolved(index, written.expression);
    if (written === undefined || expression?.kind !== "object") continue;
    const keys = expression.items.map(({ key, line }) => ({ name: keyOf(key), line }));
    for (const { name, line } of keys) {
      if (types.includes(name) || name.includes("${")) continue;
      const guess = nearest(name, types);
      yield {
        file,
        line,
        message: `${address}: "${name}" is no type of component`,
        remedy: guess === undefined ? `There are: ${types.sort().join(", ")}.` : `Did you mean "${guess}"?`,
      };
    }
    const missing = ["orchestrator", "artifact_store"].filter((type) =>
      keys.every(({ name }) => name !== type && !name.includes("${")),
    );
    if (missing.length > 0)
      yield {
        file,
        line: written.line,
        message: `${address} has no ${missing.join(" and no ")}: the server answers 422 "Stack must contain at least an orchestrator and artifact store"`,
        remedy: `Add ${missing.map((type) => `${type} = zenml_stack_component.<name>.id`).join(" and ")}.`,
      };
  }
}

/** ZenML has no stack that takes over the components of another. */
function* inheritedStacks(workspace: Workspace): Iterable<Problem> {
  for (const { file, block } of blocksOfKind(workspace, "module"))
    for (const { name, value, line } of block.body.attributes)
      if (
        /^(?:base|parent)_stack(?:_id)?$/.test(name) &&
        referencesIn(value).some(({ root }) => root === "zenml_stack")
      )
        yield {
          file,
          line,
          message: `"${name}": a stack of ZenML takes nothing over from another: it is a map of components`,
        };
}

function* looseConnectors(workspace: Workspace): Iterable<Problem> {
  for (const { file, block, address } of resourcesOf(workspace, "zenml_stack_component")) {
    const written = argument(block.body, "connector_resource_id");
    if (written !== undefined && argument(block.body, "connector_id") === undefined)
      yield {
        file,
        line: written.line,
        message: `${address} names a resource of a connector, but no connector`,
      };
  }
}

const isZenml = ({ block, index }: TerraformObject): boolean => {
  const path = known(index, block.body, "path");
  return typeof path === "string" && path.startsWith("/api/v1/");
};

function* drift(workspace: Workspace): Iterable<Problem> {
  for (const object of resourcesOf(workspace, "restapi_object")) {
    const { file, line, block, index, address } = object;
    if (!isZenml(object) || known(index, block.body, "ignore_all_server_changes") === true) continue;
    if (argument(block.body, "ignore_changes_to") !== undefined) continue;
    yield {
      file,
      line,
      message: `${address}: ZenML never answers what was sent (body and metadata), so every plan shows a change`,
    };
  }
}

/** A local value for labels that needs the stack: on the stack's own bucket it closes a ring. */
function* stackLabels(workspace: Workspace): Iterable<Problem> {
  for (const module of workspace.modules)
    for (const { file, body } of module.files)
      for (const { name, value } of body.blocks
        .filter(({ type }) => type === "locals")
        .flatMap((block) => block.body.attributes)) {
        if (!/(?:^|_)(?:tags|labels)$/.test(name)) continue;
        const stack = referencesIn(value).find(({ root }) => root === "zenml_stack");
        if (stack !== undefined)
          yield {
            file,
            line: stack.line,
            message: `local.${name} needs a stack: on the bucket of its artifact store, which the stack needs, Terraform stops with "Error: Cycle"`,
          };
      }
}

function* headerTokens(workspace: Workspace): Iterable<Problem> {
  for (const module of workspace.modules)
    for (const { file, body } of module.files)
      for (const block of body.blocks) {
        if (block.type !== "provider" || block.labels[0] !== "restapi") continue;
        const headers = argument(block.body, "headers")?.expression;
        if (headers?.kind !== "object") continue;
        const token = headers.items.find(({ key }) =>
          /^(?:authorization|x-api-key|api-key)$/i.test(keyOf(key)),
        );
        if (token === undefined) continue;
        yield {
          file,
          line: token.line,
          message:
            "A token in the headers of the REST API provider is not marked as sensitive: logs and plans may show it",
        };
      }
}

/** Values of a connector that ZenML keeps as secrets, and Terraform shows: its configuration is not marked. */
function* openConnectors(workspace: Workspace): Iterable<Problem> {
  const { connectors } = zenmlCatalogue();
  for (const { file, block, index, address } of resourcesOf(workspace, "zenml_service_connector")) {
    const type = knownText(index, block.body, "type") ?? "";
    const method = knownText(index, block.body, "auth_method") ?? "";
    const secret =
      (Object.hasOwn(connectors, type) ? connectors[type]?.methods[method]?.secret : undefined) ?? [];
    const configuration = argument(block.body, "configuration")?.expression;
    if (configuration?.kind !== "object") continue;
    for (const { key, value, line } of configuration.items)
      if (secret.includes(keyOf(key)) && isOpen(index, value))
        yield {
          file,
          line,
          message: `${keyOf(key)} of ${address} is a secret, and the provider does not mark the configuration: plans show ${textOf(value)}`,
        };
  }
}

/** A variable, or an attribute that its provider forgot to mark. */
function isOpen(index: ModuleIndex, value: HclExpression): boolean {
  if (secretsIn(index, value, true).length > 0) return true;
  if (value.kind !== "reference" || value.root !== "var") return false;
  const variable = index.variables.get(`var.${String(value.steps[0])}`);
  return variable !== undefined && known(index, variable.block.body, "sensitive") !== true;
}

/** Stacks of ZenML, and ZenML through the REST API provider. */
export const terraformZenmlStackRules: readonly Rule[] = [
  {
    id: "zenml/open-connector",
    severity: "error",
    covers: ["E19"],
    title: "a connector's secret that plans show",
    why: "configuration of zenml_service_connector is not marked as sensitive, unlike that of zenml_stack_component.",
    remedy: "Wrap the value in sensitive(...), or mark the variable: sensitive = true.",
    check: openConnectors,
  },
  {
    id: "zenml/stack-components",
    severity: "error",
    covers: ["E53", "E55"],
    title: "a stack without an orchestrator or an artifact store",
    why: "The provider accepts it, the server answers 422.",
    remedy: "Give it at least these two, by the ids of zenml_stack_component resources.",
    check: stacks,
  },
  {
    id: "zenml/stack-inheritance",
    severity: "error",
    covers: ["E55"],
    title: "a stack that is to build on another",
    why: "There is no such thing in ZenML: what is shared are components, not stacks.",
    remedy: "Hand over the ids of the components: zenml_stack_component.<name>.id.",
    check: inheritedStacks,
  },
  {
    id: "zenml/loose-connector-resource",
    severity: "error",
    covers: [],
    title: "connector_resource_id without connector_id",
    why: "The provider refuses the one without the other.",
    remedy: "Set connector_id = zenml_service_connector.<name>.id.",
    check: looseConnectors,
  },
  {
    id: "zenml/rest-drift",
    severity: "warning",
    covers: ["E58"],
    title: "ZenML through the REST API provider, with a change in every plan",
    why: "The provider compares the reply with what was sent; ZenML's has another shape.",
    remedy: "Use the provider zenml-io/zenml, or set ignore_all_server_changes = true.",
    check: drift,
  },
  {
    id: "zenml/stack-in-labels",
    severity: "warning",
    covers: ["E59"],
    title: "labels that need the stack they are to mark",
    why: "The stack needs its bucket, the bucket its labels, the labels the stack.",
    remedy: "Label with what is known beforehand: the name of the stack or of the environment, not its id.",
    check: stackLabels,
  },
  {
    id: "zenml/token-in-headers",
    severity: "warning",
    covers: ["E58"],
    title: "a token in the headers of the REST API provider",
    why: "headers is not sensitive; bearer_token is, since version 3.0.0.",
    remedy: "Set bearer_token = var.zenml_api_key.",
    check: headerTokens,
  },
];
