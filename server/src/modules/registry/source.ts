import { invalidParameter, notFound, PlinthError } from "../../kernel/errors.ts";
import { checkArtifactLocation, checkLength } from "../tracking/index.ts";
import type { Scope } from "../identity/index.ts";
import type { RegistryDeps } from "./deps.ts";
import { readStage, readVersion, shown, sizes, type Stage } from "./names.ts";
import type { VersionRow } from "./model-versions.sql.ts";
import type { ModelVersions } from "./model-versions.ts";

/**
 * Where a version's files come from, by the rules of MLflow 3.17: what is in a store of this server is named
 * by way of the run or logged model that holds it. A source never is a path of the server.
 */
export type GivenSource = { source: string; runId: string | undefined; modelId: string | undefined };

export type ResolvedSource = {
  source: string;
  /** Where the files are: `source`, or what it leads to. */
  storageLocation: string;
  runId: string;
  modelId: string | null;
  /** The request itself named the logged model, which then lists the version. */
  namesModel: boolean;
};

/** What the registry can look up for a source of the form `models:/...`. */
export type VersionLookup = {
  getModelVersion: ModelVersions["getModelVersion"];
  getByAlias: ModelVersions["getModelVersionByAlias"];
  getLatest: ModelVersions["getLatestVersions"];
  ensureModel(scope: Scope, name: string): Promise<void>;
};

/** All that a source is looked up by, and the workspace it must be in. */
type Ground = { deps: RegistryDeps; lookup: VersionLookup; scope: Scope };

/** What whoever makes a version must be allowed to read, since its files or what it is made from become the version's. */
export type SourceOrigins = { runs: string[]; loggedModels: string[]; models: string[] };

/** As `resolveSource` looks them up. A version that is copied stands for itself: its run and logged model are not asked for. */
export function originsOf(given: GivenSource): SourceOrigins {
  const { source, runId, modelId } = given;
  const { scheme, path } = schemeOf(source);
  const uri = scheme === "models" ? readModelUri(path) : undefined;
  if (uri !== undefined && uri.is !== "logged model")
    return { runs: [], loggedModels: [], models: [uri.name] };
  const ofRun = scheme === "runs" ? /^\/+([^/]+)/.exec(path)?.[1] : undefined;
  const inStore = scheme === "mlflow-artifacts" && !modelId && !runId ? runIn(source) : undefined;
  const present = (...ids: readonly (string | undefined)[]): string[] =>
    [...new Set(ids.filter((id) => !!id))] as string[];
  return { runs: present(runId, ofRun, inStore), loggedModels: present(modelId, uri?.id), models: [] };
}

function schemeOf(source: string): { scheme: string; path: string } {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(source)?.[1]?.toLowerCase() ?? "";
  return { scheme, path: source.slice(scheme.length + 1) };
}

export async function resolveSource(ground: Ground, given: GivenSource): Promise<ResolvedSource> {
  const { source } = given;
  const { scheme, path } = schemeOf(source);
  if (scheme.length < 2 || scheme === "file") throw localPath(source);
  refuseDisguises(source);
  if (scheme === "models") return resolveModelUri(ground, { ...given, path });
  // Without the host, where one is named.
  if (!path.replace(/^\/\/[^/?#]*/, "").startsWith("/")) throw relativePath(source);
  switch (scheme) {
    case "runs":
      return resolveRunUri(given, path);
    default:
      checkArtifactLocation(source, "source");
      return scheme === "mlflow-artifacts"
        ? resolveOwnStore(ground, given)
        : withModel(ground, given, source);
  }
}

/** `runs:/<run>/<path>`. A client of MLflow 2.9 may leave the run out: the source names it. */
function resolveRunUri(given: GivenSource, path: string): ResolvedSource {
  const { source, runId, modelId } = given;
  if (path === "/") throw relativePath(source);
  if (modelId) throw notTheHolder(source, "model_id");
  const named = /^\/([^/]+)/.exec(path)?.[1];
  if (path.startsWith("//") || named === undefined || (runId && runId !== named)) {
    throw notTheHolder(source, "run_id");
  }
  return { source, storageLocation: source, runId: named, modelId: null, namesModel: false };
}

/** `mlflow-artifacts:/...`, which must be inside of what the run or logged model holds. */
async function resolveOwnStore(ground: Ground, given: GivenSource): Promise<ResolvedSource> {
  const { source, modelId } = given;
  const { scope, deps } = ground;
  if (modelId) {
    const root = await orRefuse(deps.tracking.getLoggedModelArtifactRoot(scope, modelId), source, "model_id");
    if (!isWithin(source, root)) throw notTheHolder(source, "model_id");
    return withModel(ground, given, source);
  }
  const runId = given.runId || runIn(source);
  if (runId === undefined) throw notTheHolder(source, "run_id");
  const run = await orRefuse(deps.tracking.getRunRow(scope, runId), source, "run_id");
  if (!isWithin(source, run.artifact_uri)) throw notTheHolder(source, "run_id");
  return { source, storageLocation: source, runId, modelId: null, namesModel: false };
}

/** The run whose artifacts a location of the usual form is in: `.../<run>/artifacts/...`. */
const runIn = (source: string): string | undefined => /\/([0-9a-f]{32})\/artifacts(?:\/|$)/.exec(source)?.[1];

async function resolveModelUri(
  ground: Ground,
  given: GivenSource & { path: string },
): Promise<ResolvedSource> {
  const { source, runId, modelId, path } = given;
  const { deps, lookup, scope } = ground;
  if (/^\/\/[^/]/.test(path)) {
    throw invalidParameter(
      `Invalid model version source: '${shown(source)}'. Registered model sources must use the active model registry.`,
    );
  }
  const uri = readModelUri(path);
  if (uri === undefined) throw notTheHolder(source, "model_id");
  if (uri.is === "logged model") {
    if (uri.id !== modelId) throw notTheHolder(source, "model_id");
    const root = await orRefuse(deps.tracking.getLoggedModelArtifactRoot(scope, uri.id), source, "model_id");
    return withModel(ground, given, root);
  }
  await lookup.ensureModel(scope, uri.name);
  const version = await versionOf(ground, uri);
  // An empty model_id is none: clients cannot know that of a version, since no answer has it.
  if ((runId ?? version.run_uuid) !== version.run_uuid || (modelId && modelId !== version.model_id)) {
    throw invalidParameter(
      `Invalid model version source: '${shown(source)}'. The run_id and model_id request parameters must match the ` +
        "referenced model version.",
    );
  }
  return {
    source: `models:/${uri.name}/${version.version}`,
    storageLocation: version.storage_location,
    runId: version.run_uuid,
    modelId: version.model_id,
    namesModel: Boolean(modelId),
  };
}

/** With a logged model that the request names, where there is one: its run is the version's. */
async function withModel(
  { deps, scope }: Ground,
  { source, runId, modelId }: GivenSource,
  storageLocation: string,
): Promise<ResolvedSource> {
  const own = { source, storageLocation };
  if (!modelId) return { ...own, runId: runId ?? "", modelId: null, namesModel: false };
  const model = await deps.tracking.getLoggedModel(scope, modelId);
  return { ...own, runId: runId || (model.source_run_uuid ?? ""), modelId, namesModel: true };
}

type ModelUri =
  | { is: "logged model"; id: string }
  | { is: "version"; name: string; version: string }
  | { is: "alias"; name: string; alias: string }
  | { is: "stage"; name: string; stage: string | undefined };

/** `/<id>`, `/<name>/<version>`, `/<name>/<stage>`, `/<name>/latest` or `/<name>@<alias>`. */
function readModelUri(path: string): ModelUri | undefined {
  const [name = "", suffix, ...more] = path.replace(/^\/+/, "").split("/");
  if (!path.startsWith("/") || more.length > 0 || name.trim() === "") return undefined;
  if (suffix !== undefined) {
    if (suffix.trim() === "") return undefined;
    if (/^\d+$/.test(suffix)) return { is: "version", name, version: suffix };
    return { is: "stage", name, stage: suffix.toLowerCase() === "latest" ? undefined : suffix };
  }
  const at = name.lastIndexOf("@");
  if (at === -1) return { is: "logged model", id: name };
  const alias = name.slice(at + 1);
  return alias.trim() === "" ? undefined : { is: "alias", name: name.slice(0, at), alias };
}

async function versionOf(
  { lookup, scope }: Ground,
  uri: Exclude<ModelUri, { is: "logged model" }>,
): Promise<VersionRow> {
  if (uri.is === "version") {
    const { name } = uri;
    return lookup.getModelVersion(scope, { name, version: readVersion(uri.version).shown });
  }
  if (uri.is === "alias") return lookup.getByAlias(scope, uri.name, uri.alias);
  const stage: Stage | undefined = uri.stage === undefined ? undefined : readStage(uri.stage);
  const latest = (await lookup.getLatest(scope, uri.name, stage === undefined ? [] : [stage])).at(-1);
  if (latest !== undefined) return latest;
  const inStage = uri.stage === undefined ? "" : ` and stage '${uri.stage}'`;
  throw notFound(`No versions of model with name '${uri.name}'${inStage} found`);
}

/** Checked as it means in the end: decoded until nothing changes, with dots resolved nowhere. */
function refuseDisguises(source: string): void {
  checkLength("source", sizes.source, source);
  let text = source;
  for (let round = 0; ; round += 1) {
    // Byte by byte: what is looked for is ASCII.
    const next = text.replaceAll(/%([0-9a-f]{2})/gi, (_match, hex: string) => {
      return String.fromCharCode(Number.parseInt(hex, 16));
    });
    if (next === text) break;
    if (round === 10) throw relativePath(source);
    text = next;
  }
  const path = text.replace(/^[a-z][a-z0-9+.-]*:/i, "");
  const dotted = path.split(/[/\\?#;]/).some((segment) => segment === ".." || segment === ".");
  // After these, other parts of a URI begin; in `models:` they are letters of a name, and looked up as such.
  const cut = /^runs:/i.test(source) && /[?#]/.test(text);
  // Not those beyond ASCII, which are bytes of letters here.
  if (dotted || cut || /[\\[\p{Cc}--[\u0080-\u009f]]]/v.test(text)) throw relativePath(source);
}

const relativePath = (source: string): Error =>
  invalidParameter(
    `Invalid model version source: '${shown(source)}'. If supplying a source as an http, https, local file path, ftp, ` +
      "objectstore, or mlflow-artifacts uri, an absolute path must be provided without relative path references " +
      "present. Please provide an absolute path.",
  );

const localPath = (source: string): Error =>
  invalidParameter(
    `Invalid model version source: '${shown(source)}'. To use a local path as a model version source, the run_id ` +
      "request parameter has to be specified and the local path has to be contained within the artifact directory " +
      "of the run specified by the run_id.",
  );

const notTheHolder = (source: string, field: "run_id" | "model_id"): Error =>
  invalidParameter(
    `Invalid model version source: '${shown(source)}'. The ${field} request parameter must identify the resource that ` +
      "contains the source.",
  );

async function orRefuse<T>(found: Promise<T>, source: string, field: "run_id" | "model_id"): Promise<T> {
  try {
    return await found;
  } catch (error) {
    throw error instanceof PlinthError && error.code === "not_found" ? notTheHolder(source, field) : error;
  }
}

/** Both are places in the server's own store; compared by their segments, decoded. */
function isWithin(source: string, root: string): boolean {
  const parts = segments(source);
  const rootParts = segments(root);
  return (
    /^mlflow-artifacts:/i.test(root) &&
    rootParts.length > 0 &&
    rootParts.every((part, index) => part === parts[index])
  );
}

const segments = (uri: string): string[] =>
  uri
    .slice(uri.indexOf(":") + 1)
    .split("/")
    .filter((part) => part !== "");
