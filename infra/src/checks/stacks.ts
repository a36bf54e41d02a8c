import { closest } from "fastest-levenshtein";
import { zenmlCatalogue, type ConfigurationKeys } from "../schemas/client-tables.ts";
import type { Stacks } from "../spec/components.ts";
import type { SettingPath } from "../spec/resolve.ts";
import type { SpecProblem, SpecRule } from "./check.ts";

/** Rules on the stacks, components and connectors to register: ZenML's provider checks next to nothing of them. */

const checkStacks =
  (check: (stacks: Stacks) => SpecProblem[]): SpecRule["check"] =>
  ({ stacks }) =>
    check(stacks);

/** "Did you mean", and all that there is. */
const suggestion = (wrong: string, known: readonly string[]): string =>
  known.length === 0
    ? "Remove it: there are none."
    : `Did you mean "${closest(wrong, [...known])}"? There are: ${[...known].sort().join(", ")}.`;

const needsServer: SpecRule = {
  id: "stacks/no-server",
  severity: "error",
  covers: ["E55"],
  title: "Stacks without a pipeline server",
  why: "Stacks are entries of ZenML's server: without one there is nobody to register them with.",
  check: ({ stacks, pipelines }) => {
    const named = (["stacks", "components", "connectors"] as const).find((key) => stacks[key].length > 0);
    if (named === undefined || pipelines.engine === "zenml") return [];
    return [
      {
        path: ["stacks", named],
        message: `stacks.${named} has entries, but no pipeline server: pipelines.engine is "${pipelines.engine}"`,
        remedy: 'Set pipelines: { engine: "zenml" }, or remove stacks.',
      },
    ];
  },
};

const unknownAuthMethod: SpecRule = {
  id: "stacks/unknown-auth-method",
  severity: "error",
  covers: ["E54"],
  title: "A connector with a way to log in that its type does not have",
  why: "The provider refuses it. Workload identity, for example, is no method of its own: a connector of Google Cloud uses it through `external-account` or `implicit`.",
  check: checkStacks(({ connectors }) =>
    connectors.flatMap(({ name, type, authMethod }, at) => {
      const methods = Object.keys(zenmlCatalogue().connectors[type]?.methods ?? {});
      if (methods.includes(authMethod)) return [];
      return [
        {
          path: ["stacks", "connectors", at, "authMethod"],
          message: `the connector ${name} cannot log in by "${authMethod}": type ${type} does not have it`,
          remedy:
            authMethod === "workload-identity" && type === "gcp"
              ? `Use "external-account" (workload identity federation) or "impersonation". There are: ${methods.sort().join(", ")}.`
              : suggestion(authMethod, methods),
        },
      ];
    }),
  ),
};

const unknownResourceType: SpecRule = {
  id: "stacks/unknown-resource-type",
  severity: "error",
  covers: ["E52"],
  title: "A connector to a kind of resource that its type does not know",
  why: "The server refuses the connector.",
  check: checkStacks(({ connectors }) =>
    connectors.flatMap(({ name, type, resourceType }, at) => {
      const known = zenmlCatalogue().connectors[type]?.resourceTypes ?? [];
      if (known.includes(resourceType)) return [];
      return [
        {
          path: ["stacks", "connectors", at, "resourceType"],
          message: `the connector ${name} of type ${type} cannot reach a "${resourceType}"`,
          remedy: suggestion(resourceType, known),
        },
      ];
    }),
  ),
};

const implicitConnector: SpecRule = {
  id: "stacks/implicit-connector",
  severity: "warning",
  covers: ["E54"],
  title: "A connector with the server's own identity",
  why: "`implicit` gives every user of ZenML whatever its server may do in the cloud, and the server refuses it unless that is turned on.",
  check: checkStacks(({ connectors }) =>
    connectors.flatMap(({ name, type, authMethod }, at) =>
      authMethod !== "implicit"
        ? []
        : [
            {
              path: ["stacks", "connectors", at, "authMethod"],
              message: `through the connector ${name} everybody acts as ZenML's server`,
              remedy:
                type === "gcp"
                  ? 'Use "impersonation" or "external-account" with rights of its own.'
                  : 'Use "iam-role", "service-principal" or a key with rights of its own.',
            },
          ],
    ),
  ),
};

const unknownFlavor: SpecRule = {
  id: "stacks/unknown-flavor",
  severity: "error",
  covers: ["E57"],
  title: "A component of a flavor that ZenML does not have",
  why: "The provider passes it on and the server refuses it when it is applied. Google's artifact store, for example, is `gcp`.",
  check: checkStacks(({ components }) =>
    components.flatMap(({ name, type, flavor }, at) => {
      const flavors = Object.keys(zenmlCatalogue().flavors[type] ?? {});
      if (flavors.includes(flavor)) return [];
      return [
        {
          path: ["stacks", "components", at, "flavor"],
          message: `the ${type} ${name} cannot be "${flavor}": there is no such flavor`,
          remedy: suggestion(flavor, flavors),
        },
      ];
    }),
  ),
};

type Configured = {
  what: string;
  path: SettingPath;
  keys: ConfigurationKeys;
  configuration: Readonly<Record<string, unknown>>;
  /** Whether secrets that are left out come as variables. */
  asksForSecrets: boolean;
};

/** Everything with a configuration whose keys are known. */
function configured({ connectors, components }: Stacks): Configured[] {
  const { connectors: types, flavors } = zenmlCatalogue();
  return [
    ...connectors.flatMap(({ name, type, authMethod, configuration }, at) => {
      const keys = types[type]?.methods[authMethod];
      const path = ["stacks", "connectors", at, "configuration"];
      return keys === undefined
        ? []
        : [
            {
              what: `connector ${name} (${type}, ${authMethod})`,
              path,
              keys,
              configuration,
              asksForSecrets: true,
            },
          ];
    }),
    ...components.flatMap(({ name, type, flavor, configuration }, at) => {
      const keys = flavors[type]?.[flavor];
      const path = ["stacks", "components", at, "configuration"];
      return keys === undefined
        ? []
        : [{ what: `${type} ${name} (${flavor})`, path, keys, configuration, asksForSecrets: false }];
    }),
  ];
}

const unknownKey: SpecRule = {
  id: "stacks/unknown-configuration-key",
  severity: "error",
  covers: ["E56", "E06"],
  title: "A setting that the flavor or connector does not have",
  why: 'The server answers "Invalid configuration keys", after everything before it has been applied.',
  check: checkStacks((stacks) =>
    configured(stacks).flatMap(({ what, path, keys, configuration }) =>
      Object.keys(configuration)
        .filter((key) => !keys.fields.includes(key))
        .map((key) => ({
          path: [...path, key],
          message: `the ${what} has no setting "${key}"`,
          remedy: suggestion(key, keys.fields),
        })),
    ),
  ),
};

const missingKey: SpecRule = {
  id: "stacks/missing-configuration-key",
  severity: "error",
  covers: ["E06", "E56"],
  title: "A setting that the flavor or connector must have",
  why: "The provider does not know which settings must be there; the server refuses what lacks one.",
  check: checkStacks((stacks) =>
    configured(stacks).flatMap(({ what, path, keys, configuration, asksForSecrets }) =>
      keys.required
        .filter((key) => !(key in configuration))
        .filter((key) => !asksForSecrets || keys.secret?.includes(key) !== true)
        .map((key) => ({
          path,
          message: `the ${what} lacks "${key}"`,
          remedy: `Set configuration: { ${key}: "..." }, or choose another flavor or method.`,
        })),
    ),
  ),
};

/** How a component names a value in ZenML's own secret store. */
const SECRET_REFERENCE = /^\{\{\s*[\w-]+\.[\w-]+\s*\}\}$/;

const secretInClear: SpecRule = {
  id: "stacks/secret-in-clear",
  severity: "error",
  covers: ["E19", "E54"],
  title: "A secret in the configuration file",
  why: "The file is in Git, and the provider does not even hide the configuration of connectors in its plans.",
  check: checkStacks((stacks) =>
    configured(stacks).flatMap(({ what, path, keys, configuration, asksForSecrets }) =>
      (keys.secret ?? [])
        .filter((key) => key in configuration && !SECRET_REFERENCE.test(String(configuration[key])))
        .map((key) => ({
          path: [...path, key],
          message: `the ${what} holds the secret "${key}" in clear`,
          remedy: asksForSecrets
            ? "Remove it: Terraform asks for it as a variable. Or use a method without a long-lived key."
            : `Name a secret of ZenML's own store, "{{NAME.${key}}}", or use a connector.`,
        })),
    ),
  ),
};

const NEEDED = ["orchestrator", "artifact_store"] as const;

const incompleteStack: SpecRule = {
  id: "stacks/incomplete",
  severity: "error",
  covers: ["E53"],
  title: "A stack without orchestrator or artifact store",
  why: 'The provider lets it through and the server answers 422: "Stack must contain at least an orchestrator and artifact store".',
  check: checkStacks(({ stacks }) =>
    stacks.flatMap(({ name, components }, at) =>
      NEEDED.filter((type) => !(type in components)).map((type) => ({
        path: ["stacks", "stacks", at, "components"],
        message: `the stack ${name} has no ${type}`,
        remedy: `Name one: components: { ${type}: "..." }, or remove the stack.`,
      })),
    ),
  ),
};

const unknownReference: SpecRule = {
  id: "stacks/unknown-reference",
  severity: "error",
  covers: ["E53", "E58"],
  title: "A name of a component or connector that is not there",
  why: "Terraform would refer to a block that does not exist.",
  check: checkStacks(({ connectors, components, stacks }) => [
    ...components.flatMap(({ name, connector }, at) =>
      connector === undefined || connectors.some((one) => one.name === connector)
        ? []
        : [
            {
              path: ["stacks", "components", at, "connector"],
              message: `the component ${name} names the connector ${connector}, which is not there`,
              remedy: suggestion(
                connector,
                connectors.map((one) => one.name),
              ),
            },
          ],
    ),
    ...stacks.flatMap((stack, at) =>
      Object.entries(stack.components).flatMap(([type, name]) => {
        const found = components.find((component) => component.name === name);
        const path = ["stacks", "stacks", at, "components", type];
        if (found === undefined) {
          return [
            {
              path,
              message: `the stack ${stack.name} names the component ${name}, which is not there`,
              remedy: suggestion(
                name,
                components.filter((component) => component.type === type).map((component) => component.name),
              ),
            },
          ];
        }
        if (found.type === type) return [];
        return [
          {
            path,
            message: `the stack ${stack.name} has ${name} as its ${type}, but it is of type ${found.type}`,
            remedy: `Name a component of type ${type}, or write it as ${found.type}.`,
          },
        ];
      }),
    ),
  ]),
};

const duplicateName: SpecRule = {
  id: "stacks/duplicate-name",
  severity: "error",
  covers: ["E58"],
  title: "Two of the same name",
  why: "Each becomes a block of Terraform by its name, and Terraform refuses two of one name.",
  check: checkStacks((stacks) =>
    (["connectors", "components", "stacks"] as const).flatMap((key) =>
      stacks[key].flatMap(({ name }, at) =>
        stacks[key].findIndex((other) => other.name === name) === at
          ? []
          : [
              {
                path: ["stacks", key, at, "name"],
                message: `there are two ${key} of the name ${name}`,
                remedy: "Give one of them another name, or remove it.",
              },
            ],
      ),
    ),
  ),
};

export const stackRules: readonly SpecRule[] = [
  needsServer,
  unknownAuthMethod,
  unknownResourceType,
  implicitConnector,
  unknownFlavor,
  unknownKey,
  missingKey,
  secretInClear,
  incompleteStack,
  unknownReference,
  duplicateName,
];
