import { invalidParameter } from "../../kernel/errors.ts";

const MAX_LENGTH = 2048;

/**
 * Schemes by which a server would connect to whatever host the location names. MLflow refuses them
 * since 3.17 (GHSA-mr9f-g8qf-4w4j).
 */
const HOST_SCHEMES = new Set(["ftp", "sftp", "hdfs", "viewfs", "http", "https", "r2", "b2", "abfss"]);

/** `urlparse` of Python knows `;parameters` only for these (and for no scheme at all). */
const SCHEMES_WITH_PARAMETERS = new Set([
  "",
  "ftp",
  "http",
  "https",
  "sftp",
  "imap",
  "rtsp",
  "sip",
  "sips",
  "tel",
]);

/**
 * Refuses an artifact location a client may not choose. Clients never name a path of the server:
 * locations are places in the server's own artifact store (`mlflow-artifacts:/...`) or in a store
 * that clients reach by themselves (`s3://...`, `gs://...`). Messages that MLflow has too are its own.
 */
export function checkArtifactLocation(location: string, field = "artifact_location"): void {
  const { scheme, path, query } = split(location);
  const parameters =
    SCHEMES_WITH_PARAMETERS.has(scheme) && path.slice(path.lastIndexOf("/") + 1).includes(";");
  if (location.includes("#") || parameters) {
    throw invalidParameter(`'${field}' URL can't include fragments or params.`);
  }
  if (decoded(query)?.includes("..") ?? true) throw invalidParameter("Invalid query string");
  if (HOST_SCHEMES.has(scheme) || (scheme === "mlflow-artifacts" && /^\/\/[^/]/.test(path))) {
    throw invalidParameter(
      `'${field}' cannot use the '${scheme}' scheme: the '${scheme}' scheme addresses a host other than the tracking ` +
        "server's configured artifact storage, so the server would connect to the host named in the URI.",
    );
  }
  if (scheme === "runs") {
    throw invalidParameter(`Artifact location cannot be a runs:/ URI. Given: '${location}'`);
  }
  if (location.length > MAX_LENGTH) {
    throw invalidParameter(
      "Invalid artifact path length. The length of the artifact path cannot be " +
        `greater than ${MAX_LENGTH} characters.`,
    );
  }
  refusePathsOfTheServer(location, { scheme, path, query, field });
}

/** `workspaces/<name>` holds what is in that workspace, whoever names it. */
export function checkOutsideOfWorkspaces(location: string, field = "artifact_location"): void {
  const { scheme, path } = split(location);
  const first = (decoded(path) ?? "").split("/").find((segment) => segment !== "");
  if (scheme === "mlflow-artifacts" && first?.toLowerCase() === "workspaces") {
    throw invalidParameter(
      `'${field}' must not be below mlflow-artifacts:/workspaces, where the artifacts of workspaces are: '${location}'`,
    );
  }
}

type Parts = { scheme: string; path: string; query: string };

function refusePathsOfTheServer(
  location: string,
  { scheme, path, query, field }: Parts & { field: string },
): void {
  // One letter is a drive of Windows.
  if (scheme.length < 2 || scheme === "file" || scheme === "models" || !path.startsWith("/")) {
    throw invalidParameter(
      `'${field}' must be a URI such as mlflow-artifacts:/path or s3://bucket/path, not a path of the server: ` +
        `'${location}'`,
    );
  }
  const plain = decoded(path);
  const unsafe =
    plain === undefined ||
    /[\\\p{Cc}]/u.test(plain) ||
    plain.split("/").some((segment) => segment === ".." || segment === ".");
  // In the server's own store a location is a plain path: nothing follows it.
  const trailing = scheme === "mlflow-artifacts" && (query !== "" || location.includes("?"));
  if (unsafe || trailing) throw invalidParameter(`Invalid path in '${field}': '${location}'`);
}

function split(location: string): Parts {
  const [, scheme = "", rest = ""] = /^(?:([a-z][a-z0-9+.-]*):)?(.*)$/is.exec(location) ?? [];
  const withoutFragment = rest.split("#", 1)[0] as string;
  const mark = withoutFragment.indexOf("?");
  return {
    scheme: scheme.toLowerCase(),
    path: mark === -1 ? withoutFragment : withoutFragment.slice(0, mark),
    query: mark === -1 ? "" : withoutFragment.slice(mark + 1),
  };
}

/** Percent-decoded until nothing changes; undefined when ten rounds are not enough. */
function decoded(text: string): string | undefined {
  let current = text;
  for (let round = 0; round < 10; round += 1) {
    // Byte by byte: what is looked for is ASCII, and a wrong sequence must not hide what follows it.
    const next = current.replaceAll(/%([0-9a-f]{2})/gi, (_match, hex: string) => {
      return String.fromCharCode(Number.parseInt(hex, 16));
    });
    if (next === current) return current;
    current = next;
  }
  return undefined;
}
