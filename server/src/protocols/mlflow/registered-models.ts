import { edits, manages, reads } from "../../kernel/access.ts";
import type { Identity, Scope } from "../../modules/identity/index.ts";
import type { Registry } from "../../modules/registry/index.ts";
import type { RegisteredModel } from "../../modules/registry/registered-models.ts";
import type { Endpoint } from "./endpoint.ts";
import { keyValues } from "./experiments.ts";
import { keyValue } from "./fields.ts";
import { needs } from "./guard.ts";
import {
  listedVersionJson,
  listedVersionText,
  modelVersionJson,
  onModel,
  onVersions,
  required,
  searchEndpoint,
  text,
} from "./registry-fields.ts";
import { itemsOf, message, nested, repeated, string, type Values } from "./wire.ts";

const PATH = "/2.0/mlflow/registered-models";
const DEFAULT_RESULTS = 100;
const MAX_RESULTS = 1000;

export function registeredModelEndpoints(
  registry: Registry,
  { grantCreator }: Pick<Identity, "grantCreator">,
): Endpoint[] {
  return [
    {
      method: "POST",
      path: `${PATH}/create`,
      access: edits("registered_model"),
      needs: (values) => [
        needs("edit", { type: "workspace" }),
        { notDenied: "registered_model", id: text(values["name"]) },
      ],
      request: message({ name: string, tags: repeated(nested(keyValue)), description: string }),
      checks: { name: required, tags: ["array", itemsOf("tags", nested(keyValue))], description: ["string"] },
      async handle(values, { scope, request }) {
        const name = values["name"] as string;
        const model = await registry.createRegisteredModel(scope, {
          name,
          tags: keyValues(values["tags"]),
          description: text(values["description"]),
        });
        await grantCreator(request.caller, scope, { resource_type: "registered_model", id: name });
        return { registered_model: modelJson(model, scope) };
      },
    },
    {
      method: "GET",
      path: `${PATH}/get`,
      access: reads("registered_model"),
      needs: onModel("read"),
      request: message({ name: string }),
      checks: { name: required },
      async handle(values, { scope }) {
        const model = await registry.getRegisteredModel(scope, values["name"] as string);
        return { registered_model: modelJson(model, scope) };
      },
    },
    {
      method: "POST",
      path: `${PATH}/rename`,
      access: edits("registered_model"),
      needs: (values) => [
        ...onModel("edit")(values),
        { notDenied: "registered_model", id: text(values["new_name"]) },
      ],
      request: message({ name: string, new_name: string }),
      checks: { name: required, new_name: required },
      async handle(values, { scope }) {
        const model = await registry.renameRegisteredModel(
          scope,
          values["name"] as string,
          values["new_name"] as string,
        );
        return { registered_model: modelJson(model, scope) };
      },
    },
    {
      method: "PATCH",
      path: `${PATH}/update`,
      access: edits("registered_model"),
      needs: onModel("edit"),
      request: message({ name: string, description: string }),
      checks: { name: required, description: ["string"] },
      async handle(values, { scope }) {
        const model = await registry.updateRegisteredModel(
          scope,
          values["name"] as string,
          text(values["description"]),
        );
        return { registered_model: modelJson(model, scope) };
      },
    },
    {
      method: "DELETE",
      path: `${PATH}/delete`,
      access: manages("registered_model"),
      needs: (values) => [...onModel("manage")(values), ...onVersions("manage")(values)],
      request: message({ name: string }),
      checks: { name: required },
      async handle(values, { scope }) {
        await registry.deleteRegisteredModel(scope, values["name"] as string);
        return "{}";
      },
    },
    searchEndpoint({
      path: PATH,
      defaultResults: DEFAULT_RESULTS,
      maxResults: MAX_RESULTS,
      field: "registered_models",
      async find(scope, search) {
        const { models, nextPageToken } = await registry.searchRegisteredModels(scope, search);
        return { items: models.map((model) => modelText(model, scope)), nextPageToken };
      },
    }),
    ...(["GET", "POST"] as const).map((method) => latestVersionsEndpoint(registry, method)),
    {
      method: "POST",
      path: `${PATH}/set-tag`,
      access: edits("registered_model"),
      needs: onModel("edit"),
      request: message({ name: string, key: string, value: string }),
      checks: { name: required, key: required, value: ["string"] },
      async handle(values, { scope }) {
        const tag = { key: values["key"] as string, value: text(values["value"]) };
        await registry.setRegisteredModelTag(scope, values["name"] as string, tag);
        return "{}";
      },
    },
    {
      method: "DELETE",
      path: `${PATH}/delete-tag`,
      access: edits("registered_model"),
      needs: onModel("edit"),
      request: message({ name: string, key: string }),
      checks: { name: required, key: required },
      async handle(values, { scope }) {
        await registry.deleteRegisteredModelTag(scope, values["name"] as string, values["key"] as string);
        return "{}";
      },
    },
    ...aliasEndpoints(registry),
  ];
}

function aliasEndpoints(registry: Registry): Endpoint[] {
  return [
    {
      method: "POST",
      path: `${PATH}/alias`,
      access: edits("registered_model"),
      needs: (values) => [...onModel("edit")(values), ...onVersions("read")(values)],
      request: message({ name: string, alias: string, version: string }),
      checks: { name: required, alias: required, version: required },
      async handle(values, { scope }) {
        const version = { name: values["name"] as string, version: values["version"] as string };
        await registry.setAlias(scope, values["alias"] as string, version);
        return "{}";
      },
    },
    {
      method: "GET",
      path: `${PATH}/alias`,
      access: reads("registered_model"),
      needs: onVersions("read"),
      request: message({ name: string, alias: string }),
      checks: { name: required, alias: required },
      async handle(values, { scope }) {
        const version = await registry.getModelVersionByAlias(
          scope,
          values["name"] as string,
          values["alias"] as string,
        );
        return { model_version: modelVersionJson(version, scope) };
      },
    },
    {
      method: "DELETE",
      path: `${PATH}/alias`,
      access: manages("registered_model"),
      needs: (values) => [...onModel("manage")(values), ...onVersions("read")(values)],
      request: message({ name: string, alias: string }),
      checks: { name: required, alias: required },
      async handle(values, { scope }) {
        await registry.deleteAlias(scope, values["name"] as string, values["alias"] as string);
        return "{}";
      },
    },
  ];
}

/** GET is what MLflow had before 1.22; its newer clients ask with POST. */
function latestVersionsEndpoint(registry: Registry, method: "GET" | "POST"): Endpoint {
  return {
    method,
    path: `${PATH}/get-latest-versions`,
    access: reads("registered_model"),
    needs: onVersions("read"),
    request: message({ name: string, stages: repeated(string) }),
    checks: { name: required, stages: ["array", itemsOf("stages", string)] },
    async handle(values, { scope }) {
      const stages = (values["stages"] ?? []) as string[];
      const versions = await registry.getLatestVersions(scope, values["name"] as string, stages);
      return versions.length === 0
        ? {}
        : { model_versions: versions.map((version) => modelVersionJson(version, scope)) };
    },
  };
}

/** What is undefined is left out of JSON. */
function modelJson(model: RegisteredModel, scope: Scope): Values {
  const { latest_versions: latest, tags, aliases } = model;
  return {
    name: model.name,
    creation_timestamp: model.creation_timestamp,
    last_updated_timestamp: model.last_updated_timestamp,
    description: model.description === "" ? undefined : model.description,
    latest_versions:
      latest.length === 0 ? undefined : latest.map((version) => listedVersionJson(version, scope)),
    tags: tags.length === 0 ? undefined : tags,
    aliases:
      aliases.length === 0
        ? undefined
        : aliases.map(({ alias, version }) => ({ alias, version: String(version) })),
  };
}

/** The JSON of `modelJson`, with the text of each version as it is. */
function modelText(model: RegisteredModel, scope: Scope): string {
  const { latest_versions: _none, ...rest } = modelJson({ ...model, latest_versions: [] }, scope);
  if (model.latest_versions.length === 0) return JSON.stringify(rest);
  const { tags, aliases, ...head } = rest;
  const tail = JSON.stringify({ tags, aliases }).slice(1);
  const versions = model.latest_versions.map((version) => listedVersionText(version, scope)).join(",");
  return `${JSON.stringify(head).slice(0, -1)},"latest_versions":[${versions}]${tail === "}" ? "" : ","}${tail}`;
}
