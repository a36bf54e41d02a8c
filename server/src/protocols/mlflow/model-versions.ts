import { edits, manages, reads } from "../../kernel/access.ts";
import { originsOf, type Registry } from "../../modules/registry/index.ts";
import type { Endpoint } from "./endpoint.ts";
import { keyValues } from "./experiments.ts";
import { keyValue } from "./fields.ts";
import { needs, type Needs } from "./guard.ts";
import {
  listedVersionText,
  modelVersionJson,
  onModel,
  onVersions,
  required,
  searchEndpoint,
  text,
} from "./registry-fields.ts";
import { bool, itemsOf, message, nested, repeated, string, type Values } from "./wire.ts";

const PATH = "/2.0/mlflow/model-versions";
const DEFAULT_RESULTS = 10_000;
const MAX_RESULTS = 200_000;

export function modelVersionEndpoints(registry: Registry): Endpoint[] {
  return [
    createEndpoint(registry),
    {
      method: "GET",
      path: `${PATH}/get`,
      access: reads("registered_model"),
      needs: onVersions("read"),
      request: message({ name: string, version: string }),
      checks: { name: required, version: required },
      async handle(values, { scope }) {
        const version = await registry.getModelVersion(scope, placeOf(values));
        return { model_version: modelVersionJson(version, scope) };
      },
    },
    {
      method: "PATCH",
      path: `${PATH}/update`,
      access: edits("registered_model"),
      needs: onVersions("edit"),
      request: message({ name: string, version: string, description: string }),
      checks: { name: required, version: required, description: ["string"] },
      async handle(values, { scope }) {
        const description = (values["description"] ?? null) as string | null;
        const version = await registry.updateModelVersion(scope, placeOf(values), description);
        return { model_version: modelVersionJson(version, scope) };
      },
    },
    {
      method: "POST",
      path: `${PATH}/transition-stage`,
      access: edits("registered_model"),
      needs: onVersions("edit"),
      request: message({ name: string, version: string, stage: string, archive_existing_versions: bool }),
      checks: { name: required, version: required, stage: required, archive_existing_versions: ["bool"] },
      async handle(values, { scope }) {
        const moved = await registry.transitionStage(scope, {
          ...placeOf(values),
          stage: values["stage"] as string,
          archiveExisting: values["archive_existing_versions"] === true,
        });
        return { model_version: modelVersionJson(moved, scope) };
      },
    },
    {
      method: "DELETE",
      path: `${PATH}/delete`,
      access: manages("registered_model"),
      needs: onVersions("manage"),
      request: message({ name: string, version: string }),
      checks: { name: required, version: required },
      async handle(values, { scope }) {
        await registry.deleteModelVersion(scope, placeOf(values));
        return "{}";
      },
    },
    searchEndpoint({
      path: PATH,
      defaultResults: DEFAULT_RESULTS,
      maxResults: MAX_RESULTS,
      field: "model_versions",
      // A filter by run tells which versions are of a run that may not be seen.
      needs: (values) => [
        needs("read", { type: "workspace" }),
        ...(/\brun_id\b/i.test(text(values["filter"])) ? [{ notDenied: "run" } as const] : []),
      ],
      async find(scope, search) {
        const { versions, nextPageToken } = await registry.searchModelVersions(scope, search);
        return { items: versions.map((version) => listedVersionText(version, scope)), nextPageToken };
      },
    }),
    {
      method: "GET",
      path: `${PATH}/get-download-uri`,
      access: reads("registered_model"),
      needs: onVersions("read"),
      request: message({ name: string, version: string }),
      async handle(values, { scope }) {
        return { artifact_uri: (await registry.getModelVersion(scope, placeOf(values))).storage_location };
      },
    },
    {
      method: "POST",
      path: `${PATH}/set-tag`,
      access: edits("registered_model"),
      needs: onVersions("edit"),
      request: message({ name: string, version: string, key: string, value: string }),
      checks: { name: required, version: required, key: required, value: ["string"] },
      async handle(values, { scope }) {
        const tag = { key: values["key"] as string, value: text(values["value"]) };
        await registry.setModelVersionTag(scope, placeOf(values), tag);
        return "{}";
      },
    },
    {
      method: "DELETE",
      path: `${PATH}/delete-tag`,
      access: manages("registered_model"),
      needs: onVersions("manage"),
      request: message({ name: string, version: string, key: string }),
      checks: { name: required, version: required, key: required },
      async handle(values, { scope }) {
        await registry.deleteModelVersionTag(scope, placeOf(values), values["key"] as string);
        return "{}";
      },
    },
  ];
}

function createEndpoint(registry: Registry): Endpoint {
  return {
    method: "POST",
    path: `${PATH}/create`,
    access: edits("registered_model"),
    needs: creationNeeds,
    request: message({
      name: string,
      source: string,
      run_id: string,
      tags: repeated(nested(keyValue)),
      run_link: string,
      description: string,
      model_id: string,
    }),
    checks: {
      name: required,
      source: required,
      run_id: ["string"],
      tags: ["array", itemsOf("tags", nested(keyValue))],
      run_link: ["string"],
      description: ["string"],
      model_id: ["string"],
    },
    async handle(values, { scope }) {
      const version = await registry.createModelVersion(scope, {
        name: values["name"] as string,
        source: values["source"] as string,
        runId: values["run_id"] as string | undefined,
        modelId: values["model_id"] as string | undefined,
        runLink: text(values["run_link"]),
        description: text(values["description"]),
        tags: keyValues(values["tags"]),
      });
      return { model_version: modelVersionJson(version, scope) };
    },
  };
}

/** The files of a version are read by all who may read the model: so its maker must be allowed to read them (CVE-2026-69148). */
function creationNeeds(values: Values): Needs {
  const { runs, loggedModels, models } = originsOf({
    source: text(values["source"]),
    runId: values["run_id"] as string | undefined,
    modelId: values["model_id"] as string | undefined,
  });
  return [
    ...onModel("edit")(values),
    { notDenied: "registered_model_version" },
    ...runs.map((id) => needs("read", { type: "run", id })),
    ...loggedModels.map((id) => needs("read", { type: "logged_model", id })),
    ...models.map((name) => needs("read", { type: "registered_model_version", name })),
  ];
}

const placeOf = (values: Values): { name: string; version: string } => ({
  name: text(values["name"]),
  version: text(values["version"]),
});
