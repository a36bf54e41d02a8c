import { schemeOf } from "./artifacts-local.ts";
import { Unreadable } from "./local-folder.ts";
import type { OnProblem } from "./problem.ts";
import { RestError, type RestCall, type RestClient } from "./rest-client.ts";
import { notMlflow, readAnswer } from "./rest-pages.ts";
import { artifactList } from "./rest-shapes.ts";
import type { ArtifactFile, SourceArtifacts } from "./source.ts";

type ServerArtifactsOptions = {
  /** Also what is in `s3://` and the like, as far as the server itself reads it. */
  copyRemote: boolean;
  onProblem: OnProblem;
};

/** How the server gives out what is at a location. */
type Way = {
  list(folder: string, token: string | undefined): RestCall;
  file(path: string): RestCall;
  /** Inside of what the server knows by this way; paths in its lists begin with it, or with the folder asked for. */
  start: string;
};

const MAX_DEPTH = 100;

/**
 * Artifacts by way of the tracking server: its proxy for `mlflow-artifacts:` locations, and for others,
 * which only the server can read, what it answers about the run or logged model they belong to.
 */
export function serverArtifacts(client: RestClient, options: ServerArtifactsOptions): SourceArtifacts {
  const wayTo = (location: string): Way | string => {
    const proxied = proxiedPath(client, location);
    if (proxied !== undefined) return proxy(proxied);
    const scheme = schemeOf(location);
    if (scheme === "mlflow-artifacts") return "it is at another server than the one that is imported from";
    const isLocal = scheme === "" || scheme === "file";
    if (!isLocal && !options.copyRemote) return `'${scheme}:' locations are left where they are`;
    const owner = /\/(?:models\/(m-[0-9a-f]{32})|([0-9a-f]{32}))\/artifacts(?:\/(.+))?$/.exec(location);
    if (owner === null)
      return `the server gives out files of runs and logged models only, and '${location}' names none`;
    const [, model, run = "", start = ""] = owner;
    return model === undefined ? ofRun(run, start) : ofModel(model, start);
  };
  const known = (location: string): Way => {
    const way = wayTo(location);
    if (typeof way === "string") throw new Unreadable(location, way);
    return way;
  };

  async function* walk(way: Way, inner: string, depth: number): AsyncGenerator<ArtifactFile> {
    const folder = joined(way.start, inner);
    for (const { name, isFolder, size } of await listFolder(way, folder)) {
      const path = joined(inner, name);
      if (!isFolder) yield { path, size };
      else if (depth < MAX_DEPTH) yield* walk(way, path, depth + 1);
      else throw new Unreadable(path, `is ${MAX_DEPTH} folders deep`);
    }
  }

  async function listFolder(way: Way, folder: string): Promise<Listed[]> {
    const found: Listed[] = [];
    let token: string | undefined;
    do {
      const call = way.list(folder, token);
      const answer = readAnswer(client, call, [artifactList, await client.json(call)]);
      for (const file of answer.files) {
        const name = nameIn(folder, file.path);
        if (name === undefined) {
          const where = `${client.address}${call.path}`;
          options.onProblem({
            where,
            what: `names the file ${JSON.stringify(file.path)}`,
            effect: "it is not copied",
          });
          continue;
        }
        const size =
          file.file_size === null || file.file_size === undefined ? undefined : Number(file.file_size);
        found.push({ name, isFolder: file.is_dir === true, size });
      }
      if (answer.next_page_token !== undefined && answer.next_page_token === token) {
        throw notMlflow(client.address + call.path, "the page after this one is this one");
      }
      token = answer.next_page_token;
    } while (token !== undefined);
    return found.sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  return {
    unreadable(location) {
      const way = wayTo(location);
      return typeof way === "string" ? way : undefined;
    },
    async *list(location, after) {
      let passed = after === undefined;
      try {
        for await (const file of walk(known(location), "", 0)) {
          if (passed) yield file;
          else passed = file.path === after;
        }
      } catch (error) {
        throw clearer(location, error);
      }
    },
    async open(location, path) {
      try {
        const way = known(location);
        return await client.stream(way.file(joined(way.start, path)));
      } catch (error) {
        throw clearer(`${location}/${path}`, error);
      }
    },
  };
}

type Listed = { name: string; isFolder: boolean; size: number | undefined };

/** The name of a listed path, which the server writes from its root or from the folder that was asked for. */
function nameIn(folder: string, path: string): string | undefined {
  const prefix = `${folder}/`;
  const name = folder !== "" && path.startsWith(prefix) ? path.slice(prefix.length) : path;
  return name === "" || name === "." || name === ".." || name.includes("/") || name.includes("\0")
    ? undefined
    : name;
}

const joined = (folder: string, name: string): string =>
  folder === "" ? name : name === "" ? folder : `${folder}/${name}`;

const encoded = (path: string): string => path.split("/").map(encodeURIComponent).join("/");

const PROXY = "/api/2.0/mlflow-artifacts/artifacts";

/** What the server's proxy calls the location; undefined when it is none of its own. */
function proxiedPath(client: RestClient, location: string): string | undefined {
  const own = /^mlflow-artifacts:(?:\/\/([^/]*))?(\/.*)?$/i.exec(location);
  const bare = (path: string): string => path.replaceAll(/^\/+|\/+$/g, "");
  if (own !== null) {
    const [, host = "", path = ""] = own;
    return host === "" || host === new URL(client.address).host ? bare(path) : undefined;
  }
  const prefix = client.address + PROXY;
  return location.startsWith(`${prefix}/`) ? bare(location.slice(prefix.length)) : undefined;
}

function proxy(start: string): Way {
  return {
    start,
    list: (folder, token) => ({ method: "GET", path: PROXY, query: [["path", folder], ...page(token)] }),
    file: (path) => ({ method: "GET", path: `${PROXY}/${encoded(path)}` }),
  };
}

function ofRun(run: string, start: string): Way {
  return {
    start,
    list: (folder, token) => ({
      method: "GET",
      path: "/api/2.0/mlflow/artifacts/list",
      query: [["run_id", run], ...inFolder("path", folder), ...page(token)],
    }),
    file: (path) => ({
      method: "GET",
      path: "/get-artifact",
      query: [
        ["run_id", run],
        ["path", path],
      ],
    }),
  };
}

function ofModel(model: string, start: string): Way {
  return {
    start,
    list: (folder, token) => ({
      method: "GET",
      path: `/api/2.0/mlflow/logged-models/${model}/artifacts/directories`,
      query: [...inFolder("artifact_directory_path", folder), ...page(token)],
    }),
    file: (path) => ({
      method: "GET",
      path: `/ajax-api/2.0/mlflow/logged-models/${model}/artifacts/files`,
      query: [["artifact_file_path", path]],
    }),
  };
}

const inFolder = (name: string, folder: string): [string, string][] =>
  folder === "" ? [] : [[name, folder]];
const page = (token: string | undefined): [string, string][] =>
  token === undefined ? [] : [["page_token", token]];

/** What cannot be read is one location's problem; a server that is gone is all of them. */
function clearer(where: string, error: unknown): unknown {
  if (error instanceof RestError && !error.transient) return new Unreadable(where, error.message);
  return error;
}
