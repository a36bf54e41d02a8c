import { invalidParameter, notImplemented, PlinthError } from "../../kernel/errors.ts";

/** The bucket that holds what clients know as `mlflow-artifacts:/…`. */
export const ARTIFACT_BUCKET = "mlflow-artifacts";

export type ArtifactPath = {
  /** Segments joined by single slashes, none of them empty, `.` or `..`; the root is the empty text. */
  path: string;
  /** True when it ended in a slash, so that it can only mean a directory. */
  directory: boolean;
};

const MAX_ROUNDS = 10;
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads a path that a client gave, as MLflow's `validate_path_is_safe` does: decoded until nothing
 * changes, then checked; and what was checked is what is used. An artifact is a key in a database,
 * so a wrong path reaches no file here, but clients write what they download under its name:
 * backslashes and drive letters are refused for those on Windows.
 */
export function readArtifactPath(given: string): ArtifactPath {
  const decoded = decode(given);
  const segments = decoded.split("/");
  if (
    /[#\\\0]/.test(decoded) ||
    decoded.startsWith("/") ||
    segments.includes("..") ||
    /^[a-z]:/i.test(decoded) ||
    /^file:/i.test(decoded) ||
    !decoded.isWellFormed()
  ) {
    throw invalidPath();
  }
  const path = segments
    .filter((segment) => segment !== "" && segment !== ".")
    .map(escapeControls)
    .join("/");
  return { path, directory: /(?:^|\/)\.?$/.test(decoded) };
}

/** The path under which an upload of a file of this path is kept; undefined when none can name it. */
export function storedArtifactPath(path: string): string | undefined {
  try {
    const read = readArtifactPath(path);
    return read.path === "" || read.directory ? undefined : read.path;
  } catch (error) {
    if (error instanceof PlinthError) return undefined;
    throw error;
  }
}

const invalidPath = (): Error => invalidParameter("Invalid path");

function decode(given: string): string {
  let current = given;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const next = current.replaceAll(/(?:%[0-9a-f]{2})+/gi, (run) => {
      const bytes = Buffer.from(run.replaceAll("%", ""), "hex");
      try {
        return utf8.decode(bytes);
      } catch {
        throw invalidPath();
      }
    });
    if (next === current) return current;
    current = next;
  }
  throw invalidPath();
}

/** Line breaks and the like are kept as their percent-encoding, as MLflow does. */
const escapeControls = (segment: string): string =>
  segment.replaceAll(/[\p{Cc}--[\u0080-\u009f]]/gv, (character) => {
    return `%${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });

export const joinPath = (...parts: string[]): string => parts.filter((part) => part !== "").join("/");

export const lastSegment = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

const PROXY = "/api/2.0/mlflow-artifacts/artifacts/";

/**
 * The key prefix of a run's or model's artifact location, without a slash at its end; undefined for
 * places that clients reach by themselves, such as `s3://…`.
 */
export function keyOfLocation(location: string): string | undefined {
  const own = /^mlflow-artifacts:(?:\/\/[^/]*)?(\/.*)?$/i.exec(location);
  if (own !== null) return readArtifactPath((own[1] ?? "").replace(/^\/+/, "")).path;
  if (!/^https?:/i.test(location)) return undefined;
  const start = location.indexOf(PROXY);
  return start === -1
    ? undefined
    : readArtifactPath(location.slice(start + PROXY.length).replace(/^\/+/, "")).path;
}

/** The same of a location that may be a wrong one, which has none. */
export function storedKey(location: string): string | undefined {
  try {
    return keyOfLocation(location);
  } catch (error) {
    if (error instanceof PlinthError) return undefined;
    throw error;
  }
}

/** The key prefix of a location, or the answer for places that this server does not read. */
export function ownKey(location: string): string {
  const key = keyOfLocation(location);
  if (key !== undefined) return key;
  const scheme = location.split(":", 1)[0] ?? "";
  throw notImplemented(
    `The artifacts are at a '${scheme}:' location, which this server does not read: use the MLflow client, which does.`,
  );
}
