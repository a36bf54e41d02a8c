import { invalidParameter } from "../../kernel/errors.ts";
import type { WorkspaceRow } from "./workspaces.sql.ts";

/** As a caller gives them: undefined is not given, the empty text clears (but for the description). */
export type WorkspaceFields = {
  description?: string | undefined;
  defaultArtifactRoot?: string | undefined;
  traceArchivalLocation?: string | undefined;
  traceArchivalRetention?: string | undefined;
  protected?: boolean | undefined;
  /** What people read instead of the name. */
  displayName?: string | undefined;
  /** A text that is JSON. */
  metadataJson?: string | undefined;
};

type Columns = Partial<Pick<WorkspaceRow, KeptColumn>>;
type KeptColumn =
  | "description"
  | "default_artifact_root"
  | "trace_archival_location"
  | "trace_archival_retention"
  | "protected"
  | "display_name"
  | "metadata_json";

/** The columns of those fields that were given, checked. */
export function readWorkspaceFields(
  fields: WorkspaceFields,
  checkArtifactRoot: (root: string) => void,
): Columns {
  const columns: Columns = {};
  const given = (value: string | undefined, check: (text: string) => void): string | null | undefined => {
    const text = value?.trim();
    if (text === undefined) return undefined;
    if (text === "") return null;
    check(text);
    return text;
  };
  const root = given(fields.defaultArtifactRoot, checkArtifactRoot);
  const location = given(fields.traceArchivalLocation, checkArchivalLocation);
  const retention = given(fields.traceArchivalRetention, checkRetention);
  if (fields.description !== undefined) columns.description = fields.description;
  if (root !== undefined) columns.default_artifact_root = root;
  if (location !== undefined) columns.trace_archival_location = location;
  if (retention !== undefined) columns.trace_archival_retention = retention;
  if (fields.protected !== undefined) columns.protected = fields.protected;
  if (fields.displayName !== undefined) columns.display_name = fields.displayName;
  if (fields.metadataJson !== undefined) columns.metadata_json = fields.metadataJson;
  return columns;
}

const NAMESPACE = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
/** What ZenML's clients call a project. */
const PROJECT = /^[a-z0-9_-]{1,50}$/;
const RESERVED = new Set(["workspaces", "api", "ajax-api", "static-files"]);

/** Names stand in addresses and in keys of objects: those of Kubernetes' namespaces and those of ZenML's projects do. */
export function checkWorkspaceName(name: string): void {
  if (PROJECT.test(name)) refuseReserved(name);
  else checkNamespaceName(name);
}

/** The names that MLflow's clients may give: those of Kubernetes' namespaces. */
export function checkNamespaceName(name: string): void {
  const shown = name.length > 200 ? `${name.slice(0, 200)}...` : name;
  if (name.length < 2 || name.length > 63) {
    throw invalidParameter(`Workspace name '${shown}' must be between 2 and 63 characters.`);
  }
  if (!NAMESPACE.test(name)) {
    throw invalidParameter(
      `Workspace name '${shown}' must match the pattern ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$ ` +
        "(lowercase alphanumeric with optional internal hyphens).",
    );
  }
  refuseReserved(name);
}

function refuseReserved(name: string): void {
  if (RESERVED.has(name)) throw invalidParameter(`Workspace name '${name}' is reserved and cannot be used.`);
}

const LOCATION = "trace_archival_config.location";
const RETENTION = "trace_archival_config.retention";

function checkArchivalLocation(location: string): void {
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(location)?.[1]?.toLowerCase();
  if (scheme === undefined) throw invalidParameter(`Invalid value for '${LOCATION}'. Expected a URI string.`);
  if (scheme === "mlflow-artifacts") {
    throw invalidParameter(
      `Invalid value for '${LOCATION}'. Trace archival location cannot use the proxy-only \`mlflow-artifacts:\` scheme.`,
    );
  }
  if (location.length > 2048) {
    throw invalidParameter(`Invalid value for '${LOCATION}'. Maximum length is 2048 characters.`);
  }
}

function checkRetention(retention: string): void {
  if (retention.length > 32)
    throw invalidParameter(`Invalid value for '${RETENTION}'. Maximum length is 32 characters.`);
  if (/^[1-9][0-9]*[mhd]$/.test(retention)) return;
  throw invalidParameter(
    `Invalid value for '${RETENTION}'. Expected a duration in the form \`<int><unit>\`, where unit is one of 'm', ` +
      "'h', or 'd' (for example '30d' or '12h').",
  );
}
