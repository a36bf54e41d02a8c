import type { HclExpression } from "../../hcl/syntax.ts";
import { keyOf, valueOf } from "../../hcl/value.ts";
import { zenmlCatalogue, type ConfigurationKeys } from "../../schemas/client-tables.ts";
import { nearest } from "../../schemas/nearest.ts";
import { objectsWritten, type ObjectExpression } from "../terraform-expressions.ts";
import { argument, knownText, resolved, resourcesOf } from "../terraform-view.ts";
import type { Problem, Rule } from "../rule.ts";
import type { Workspace } from "../workspace.ts";

/** Part of an object that is written: `{ flavor = "vertex" }`. */
function member(
  object: ObjectExpression,
  ...names: readonly string[]
): ObjectExpression["items"][number] | undefined {
  return object.items.find(({ key }) => names.includes(keyOf(key)));
}

const textOf = (expression: HclExpression | undefined): string | undefined => {
  const value = expression === undefined ? undefined : valueOf(expression);
  return typeof value === "string" && !value.includes("${") ? value : undefined;
};

/** A configuration somewhere in the files: what it is for, its keys and the lines they stand on. */
type Configuration = {
  file: string;
  line: number;
  what: string;
  keys: { name: string; line: number }[];
  isWhole: boolean;
};

function configurationOf(
  expression: HclExpression | undefined,
  { file, line, what }: { file: string; line: number; what: string },
): Configuration | undefined {
  if (expression === undefined) return { file, line, what, keys: [], isWhole: true };
  if (expression.kind !== "object") return undefined;
  const keys = expression.items.map(({ key, line }) => ({ name: keyOf(key), line }));
  return { file, line, what, keys, isWhole: keys.every(({ name }) => !name.includes("${")) };
}

/** Keys that are unknown, and required ones that are not there. */
function* configurationProblems(configuration: Configuration, wanted: ConfigurationKeys): Iterable<Problem> {
  const { file, what, keys } = configuration;
  for (const { name, line } of keys) {
    if (wanted.fields.includes(name) || name.includes("${")) continue;
    const guess = nearest(name, wanted.fields);
    yield {
      file,
      line,
      message: `${what} has no configuration key "${name}": the server answers "Invalid configuration keys"`,
      remedy:
        guess === undefined ? `It has: ${wanted.fields.join(", ") || "none"}.` : `Did you mean "${guess}"?`,
    };
  }
  const given = new Set(keys.map(({ name }) => name));
  const missing = wanted.required.filter((name) => !given.has(name));
  if (configuration.isWhole && missing.length > 0)
    yield {
      file,
      line: configuration.line,
      message: `${what} needs the configuration ${missing.map((name) => `"${name}"`).join(", ")}`,
      remedy: `Set ${missing.join(", ")}.`,
    };
}

/** Components as resources of ZenML's provider, and as objects for modules and requests: `orchestrator = { flavor = ... }`. */
type Component = {
  file: string;
  line: number;
  type: string;
  flavor: string;
  configuration: Configuration | undefined;
};

function* components(workspace: Workspace): Iterable<Component> {
  for (const { file, line, block, index } of resourcesOf(workspace, "zenml_stack_component")) {
    const type = knownText(index, block.body, "type");
    const flavor = knownText(index, block.body, "flavor");
    if (type === undefined || flavor === undefined) continue;
    const written = argument(block.body, "configuration");
    const expression = written === undefined ? undefined : resolved(index, written.expression);
    const place = { file, line: written?.line ?? line, what: `The flavor ${flavor} of ${type}` };
    yield {
      file,
      line: argument(block.body, "flavor")?.line ?? line,
      type,
      flavor,
      configuration: configurationOf(expression, place),
    };
  }
  const { flavors } = zenmlCatalogue();
  for (const module of workspace.modules)
    for (const { file, object } of objectsWritten(module))
      for (const { key, value, line } of object.items) {
        const type = keyOf(key);
        const parts = value.kind === "tuple" ? value.items : [value];
        for (const part of parts) {
          if (part.kind !== "object" || !Object.hasOwn(flavors, type)) continue;
          const flavor = textOf(member(part, "flavor")?.value);
          if (flavor === undefined) continue;
          const written = member(part, "configuration", "config");
          const place = { file, line: written?.line ?? line, what: `The flavor ${flavor} of ${type}` };
          yield {
            file,
            line: member(part, "flavor")?.line ?? line,
            type,
            flavor,
            configuration: configurationOf(written?.value, place),
          };
        }
      }
}

function* unknownFlavors(workspace: Workspace): Iterable<Problem> {
  const { flavors } = zenmlCatalogue();
  for (const { file, line, type, flavor } of components(workspace)) {
    const known = flavors[type];
    if (known === undefined || Object.hasOwn(known, flavor)) continue;
    const guess = nearest(flavor, Object.keys(known));
    yield {
      file,
      line,
      // A team may have registered a flavor of its own; a near miss is no such.
      ...(guess === undefined ? { severity: "info" as const } : {}),
      message: `ZenML has no flavor "${flavor}" of ${type}`,
      remedy:
        guess === undefined
          ? `It comes with ${Object.keys(known).sort().join(", ")}; another one must be registered first.`
          : `Did you mean "${guess}"?`,
    };
  }
}

function* componentConfigurations(workspace: Workspace): Iterable<Problem> {
  const { flavors } = zenmlCatalogue();
  for (const { type, flavor, configuration } of components(workspace)) {
    const wanted = Object.hasOwn(flavors[type] ?? {}, flavor) ? flavors[type]?.[flavor] : undefined;
    if (wanted !== undefined && configuration !== undefined)
      yield* configurationProblems(configuration, wanted);
  }
}

function* connectors(workspace: Workspace): Iterable<Problem> {
  const all = zenmlCatalogue().connectors;
  for (const connector of resourcesOf(workspace, "zenml_service_connector")) {
    const { file, line, block, index, address } = connector;
    const type = knownText(index, block.body, "type");
    const known = type === undefined || !Object.hasOwn(all, type) ? undefined : all[type];
    if (type === undefined || known === undefined) continue;
    const lineOf = (name: string): number => argument(block.body, name)?.line ?? line;
    const method = knownText(index, block.body, "auth_method");
    const methods = Object.keys(known.methods);
    if (method !== undefined && !methods.includes(method))
      yield {
        file,
        line: lineOf("auth_method"),
        message: `${address}: a ${type} connector has no auth method "${method}"`,
        remedy: `It has: ${methods.sort().join(", ")}.`,
      };
    const resource = knownText(index, block.body, "resource_type");
    if (resource !== undefined && !known.resourceTypes.includes(resource))
      yield {
        file,
        line: lineOf("resource_type"),
        message: `${address}: a ${type} connector has no resource type "${resource}"`,
        remedy: `It has: ${known.resourceTypes.join(", ")}.`,
      };
    const wanted = method === undefined ? undefined : known.methods[method];
    const written = argument(block.body, "configuration");
    const configuration = configurationOf(
      written === undefined ? undefined : resolved(index, written.expression),
      { file, line: lineOf("configuration"), what: `The auth method ${method ?? ""} of ${address}` },
    );
    if (wanted !== undefined && configuration !== undefined)
      yield* configurationProblems(configuration, wanted);
  }
  yield* methodsInObjects(workspace);
}

/** Patterns and requests that name the auth method in an object: `{ method = ..., config = { type = "gcp" } }`. */
function* methodsInObjects(workspace: Workspace): Iterable<Problem> {
  const all = zenmlCatalogue().connectors;
  const methods = new Set(Object.values(all).flatMap((one) => Object.keys(one.methods)));
  for (const module of workspace.modules)
    for (const { file, object } of objectsWritten(module)) {
      const written = member(object, "auth_method", "method");
      const method = textOf(written?.value);
      const config = member(object, "configuration", "config")?.value;
      if (written === undefined || method === undefined || config?.kind !== "object") continue;
      const inner = member(config, "type");
      const type = textOf(member(object, "connector_type", "type")?.value ?? inner?.value);
      if (type === undefined || !Object.hasOwn(all, type)) continue;
      if (!methods.has(method) || !Object.hasOwn(all[type]?.methods ?? {}, method))
        yield {
          file,
          line: written.line,
          message: `A ${type} connector of ZenML has no auth method "${method}"`,
          remedy: `It has: ${Object.keys(all[type]?.methods ?? {})
            .sort()
            .join(", ")}. Workload identity from outside is external-account, within Google Cloud implicit.`,
        };
      if (inner !== undefined)
        yield {
          file,
          line: inner.line,
          message: `"type" is no part of a connector's configuration`,
          remedy:
            "Take it out: the type of the connector stands beside the configuration, as connector_type.",
        };
    }
}

/** ZenML through Terraform: what its provider, or the REST API provider, does not look at. */
export const terraformZenmlRules: readonly Rule[] = [
  {
    id: "zenml/connector",
    severity: "error",
    covers: ["E54"],
    title: "a service connector that ZenML does not have",
    why: "Auth methods, resource types and configuration keys belong to the type of the connector.",
    remedy: "Use what the type has.",
    check: connectors,
  },
  {
    id: "zenml/component-flavor",
    severity: "error",
    covers: ["E57"],
    title: "a flavor that ZenML does not have",
    why: "The provider passes it on and the server refuses it. Google's artifact store is gcp, not gcs.",
    remedy: "Use a flavor of ZenML, or register your own first.",
    check: unknownFlavors,
  },
  {
    id: "zenml/component-configuration",
    severity: "error",
    covers: ["E56"],
    title: "a configuration key that the flavor does not have, or one missing that it needs",
    why: 'The provider does not look at the configuration; the server answers "Invalid configuration keys". Machine types and GPUs are settings of steps.',
    remedy: "Use the keys of the flavor.",
    check: componentConfigurations,
  },
];
