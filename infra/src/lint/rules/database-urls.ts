import { isTemplated } from "../../schemas/templated.ts";
import type { Located, Path, Workspace } from "../workspace.ts";
import { chartName } from "./chart-objects.ts";
import { variablesNamed } from "./jinja-variables.ts";
import { at, variablesIn, fields, list, objectsOf, workloadsOf, perWorkspace } from "./kubernetes-objects.ts";

/** Every place where a database URL of a consumer stands, in whatever file. */

export type Consumer = "zenml" | "mlflow";
export type DatabaseUrl = { consumer: Consumer; url: string; located: Located; path: Path };

const VARIABLES: Readonly<Record<string, Consumer>> = {
  ZENML_STORE_URL: "zenml",
  MLFLOW_BACKEND_STORE_URI: "mlflow",
};

const isUrl = (value: unknown): value is string =>
  typeof value === "string" && /^[a-z][a-z\d+.-]*:\/\//i.test(value);

export const databaseUrls = perWorkspace((workspace: Workspace): DatabaseUrl[] => {
  return [
    ...inReleases(workspace),
    ...inContainers(workspace),
    ...inData(workspace),
    ...inVariables(workspace),
  ];
});

function inReleases(workspace: Workspace): DatabaseUrl[] {
  return workspace.releases.flatMap((release) => {
    const { values } = release;
    if (values === undefined) return [];
    const paths: [Consumer, Path][] =
      chartName(release) === "zenml"
        ? ["server", "zenml"].flatMap((main): [Consumer, Path][] => [
            ["zenml", [main, "database", "url"]],
            ["zenml", [main, "environment", "ZENML_STORE_URL"]],
            ["zenml", [main, "secretEnvironment", "ZENML_STORE_URL"]],
          ])
        : release.chart === "mlflow"
          ? [["mlflow", ["mlflow", "backendStoreUri"]]]
          : [];
    return paths.flatMap(([consumer, path]) => {
      const url = at(values.value, ...path);
      return isUrl(url) ? [{ consumer, url, located: values, path }] : [];
    });
  });
}

function inContainers(workspace: Workspace): DatabaseUrl[] {
  return workloadsOf(workspace).flatMap(({ manifest, containers }) =>
    containers.flatMap((container) => {
      const variables = variablesIn(container, Object.keys(VARIABLES));
      const words = [...list(container.value["command"]), ...list(container.value["args"])];
      const flags = words.flatMap((word, index): DatabaseUrl[] => {
        const joined = /^--backend-store-uri=(?<url>.+)$/.exec(String(word))?.groups?.["url"];
        const url = word === "--backend-store-uri" ? words[index + 1] : joined;
        return isUrl(url)
          ? [{ consumer: "mlflow", url, located: manifest, path: [...container.path, "args"] }]
          : [];
      });
      return [
        ...variables.flatMap(({ name, value, path }): DatabaseUrl[] => {
          const consumer = VARIABLES[name];
          return consumer !== undefined && isUrl(value)
            ? [{ consumer, url: value, located: manifest, path }]
            : [];
        }),
        ...flags,
      ];
    }),
  );
}

function inData(workspace: Workspace): DatabaseUrl[] {
  const places: Path[] = [["data"], ["stringData"], ["spec", "target", "template", "data"]];
  return objectsOf(workspace, "Secret", "ConfigMap", "ExternalSecret").flatMap((manifest) =>
    places.flatMap((place) =>
      Object.entries(fields(at(manifest.value, ...place))).flatMap(([key, value]): DatabaseUrl[] => {
        const consumer = VARIABLES[key];
        return consumer !== undefined && isUrl(value)
          ? [{ consumer, url: value, located: manifest, path: [...place, key] }]
          : [];
      }),
    ),
  );
}

const inVariables = (workspace: Workspace): DatabaseUrl[] =>
  variablesNamed(workspace, /^(?:mlflow_backend_store_ur[il]|zenml_(?:database|store)_ur[il])$/i).flatMap(
    ({ document, name, value }) =>
      isUrl(value)
        ? [
            {
              consumer: name.toLowerCase().startsWith("mlflow") ? "mlflow" : "zenml",
              url: value,
              located: document,
              path: [name],
            },
          ]
        : [],
  );

export type UrlParts = {
  scheme: string;
  user: string | undefined;
  password: string | undefined;
  host: string;
  database: string;
  query: readonly string[];
};

const URL_PARTS =
  /^(?<scheme>[a-z][a-z\d+.-]*):\/\/(?:(?<user>[^:@/]*)(?::(?<password>[^@/]*))?@)?(?<host>[^:/?]*)(?::[^/?]*)?(?:\/(?<database>[^?]*))?(?:\?(?<query>.*))?$/i;

/** Stands in for a template, which may become anything. */
const HOLE = "\u0001";

/** The parts of a database URL; templates within them are kept as one character that `isKnownPart` recognises. */
export function urlParts(url: string): UrlParts | undefined {
  const flat = url.replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})*\}|\{\{.*?\}\}/g, HOLE);
  const parts = URL_PARTS.exec(flat)?.groups;
  if (parts === undefined) return undefined;
  return {
    scheme: (parts["scheme"] ?? "").toLowerCase(),
    user: parts["user"],
    password: parts["password"],
    host: parts["host"] ?? "",
    database: parts["database"] ?? "",
    query: (parts["query"] ?? "")
      .split("&")
      .filter((pair) => pair !== "")
      .map((pair) => pair.split("=")[0] ?? ""),
  };
}

export const isKnownPart = (part: string): boolean => !part.includes(HOLE) && !isTemplated(part);
