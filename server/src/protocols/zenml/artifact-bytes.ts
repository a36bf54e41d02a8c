import { Readable, pipeline } from "node:stream";
import { createGzip } from "node:zlib";
import { publicAccess, reads } from "../../kernel/access.ts";
import { invalidParameter, invalidState, notFound } from "../../kernel/errors.ts";
import {
  archiveOf,
  artifacts,
  findFile,
  listArtifact,
  MAX_DOWNLOAD_BYTES,
  readFile,
  readWhole,
  selectRow,
  selectStackMembers,
  selectVisualizationsOf,
  snapshots,
  type ArtifactVersionRow,
  type Database,
  type Downloadable,
  type SecretReader,
  type SnapshotRow,
} from "../../modules/pipelines/index.ts";
import type { ZenmlContext } from "./context.ts";
import { endpoint, SENT, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { credentialsNotValid, invalidRequest } from "./errors.ts";
import { hyphenated } from "./fields.ts";
import { readInteger } from "./log-queries.ts";
import { readerOf } from "./secrets.ts";
import { doesNotExist, toldOfArtifacts } from "./store-errors.ts";

/** What artifacts and snapshots keep in artifact stores, read by the server for those who have a browser alone. */
export function artifactBytesEndpoints(context: ZenmlContext, database: Database): ZenmlEndpoint[] {
  const { artifactStores, artifactVersions, downloadTokens, snapshots: snapshotEntities } = context.pipelines;

  const getVersion = (call: ZenmlCall): Promise<ArtifactVersionRow> =>
    context.getInProject(call, {
      collection: artifactVersions,
      id: call.path["artifact_version_id"],
      action: "read",
    });

  const storeOf = (row: ArtifactVersionRow): string => {
    if (row.artifact_store_id !== null) return row.artifact_store_id;
    throw notFound(`Artifact version ${row.id} has no artifact store`);
  };

  const filesOf = async (row: ArtifactVersionRow, reader: SecretReader) => {
    const store = await artifactStores.open(storeOf(row), reader);
    return { store, files: await listArtifact(store, row) };
  };

  const codeOf = async (row: SnapshotRow, reader: SecretReader) => {
    if (row.code_path === null) throw invalidParameter(`Snapshot ${row.id} has no code path.`);
    const members = row.stack_id === null ? [] : await selectStackMembers(database, [row.stack_id]);
    const component = members.find(({ type }) => type === "artifact_store");
    if (component === undefined) throw invalidParameter(`Snapshot ${row.id} has no stack.`);
    const store = await artifactStores.open(component.id, reader);
    const file = await findFile(store, row.code_path);
    if (file === undefined) throw notFound(`The file '${row.code_path}' does not exist.`);
    if (file.size > MAX_DOWNLOAD_BYTES) {
      throw invalidState(
        `The file '${row.code_path}' is too large to be downloaded. The maximum download size allowed by this ` +
          `server is ${MAX_DOWNLOAD_BYTES} bytes.`,
      );
    }
    return { store, file };
  };

  /** Whoever asked for the token. */
  const admitted = (call: ZenmlCall, kind: Downloadable, id: string): SecretReader => {
    const { token } = call.query;
    if (token === undefined) {
      throw invalidRequest([{ type: "missing", loc: ["query", "token"], msg: "Field required" }]);
    }
    const reader = downloadTokens.read(token, kind, id);
    if (reader === undefined) throw credentialsNotValid("The download token is not valid, or no longer.");
    return reader;
  };

  return [
    endpoint({
      method: "GET",
      path: "/artifact_versions/:artifact_version_id/visualize",
      access: reads("pipeline"),
      async handle(call) {
        const row = await getVersion(call);
        const index = readInteger(call.query, "index") ?? 0;
        // For 0.84 it matters first whether there is something to show.
        if (!call.isOld) storeOf(row);
        const shown = await selectVisualizationsOf(database, [row.id]);
        const one = index < 0 ? undefined : shown[index];
        if (shown.length === 0) throw doesNotExist(`Artifact '${row.id}' has no visualizations.`);
        if (one === undefined) {
          throw doesNotExist(
            `Artifact '${row.id}' only has ${shown.length} visualizations, but index ${index} was requested.`,
          );
        }
        const read = async (): Promise<Buffer> =>
          readWhole(await artifactStores.open(storeOf(row), readerOf(call.request)), one.uri);
        const bytes = await toldOfArtifacts(read());
        return { type: one.type, value: bytes.toString(one.type === "image" ? "base64" : "utf8") };
      },
    }),
    endpoint({
      method: "GET",
      path: "/artifact_versions/:artifact_version_id/download-token",
      access: reads("pipeline"),
      async handle(call) {
        const row = await getVersion(call);
        const reader = readerOf(call.request);
        await toldOfArtifacts(filesOf(row, reader));
        return downloadTokens.issue("artifact_version", row.id, reader);
      },
    }),
    endpoint({
      method: "GET",
      path: "/artifact_versions/:artifact_version_id/data",
      access: publicAccess,
      async handle(call) {
        const id = hyphenated(call.path["artifact_version_id"] ?? "");
        const reader = admitted(call, "artifact_version", id);
        const row = await artifactVersions.get(id);
        const artifact = await selectRow(database, artifacts, row.artifact_id);
        const { store, files } = await toldOfArtifacts(filesOf(row, reader));
        const name = `${artifact?.name ?? row.artifact_id}-${row.version}.tar.gz`;
        const archive = await begun(archiveOf(store, row.uri, files));
        // Nobody waits for the end here: the answer breaks off where the store does.
        return download(
          call,
          name,
          pipeline(Readable.from(archive), createGzip(), () => undefined),
        );
      },
    }),
    endpoint({
      method: "GET",
      path: "/pipeline_snapshots/:snapshot_id/download-token",
      access: reads("pipeline"),
      async handle(call) {
        const row = await context.getInProject(call, {
          collection: snapshotEntities,
          id: call.path["snapshot_id"],
          action: "read",
        });
        const reader = readerOf(call.request);
        await toldOfArtifacts(codeOf(row, reader));
        return downloadTokens.issue("snapshot_code", row.id, reader);
      },
    }),
    endpoint({
      method: "GET",
      path: "/pipeline_snapshots/:snapshot_id/code",
      access: publicAccess,
      async handle(call) {
        const id = hyphenated(call.path["snapshot_id"] ?? "");
        const reader = admitted(call, "snapshot_code", id);
        const row = await selectRow(database, snapshots, id);
        if (row === undefined) throw notFound(`Unable to get pipeline snapshot with ID '${id}'`);
        const { store, file } = await toldOfArtifacts(codeOf(row, reader));
        const bytes = await begun(readFile(store, file));
        call.reply.header("content-length", file.size);
        return download(call, `${id}-code.tar.gz`, Readable.from(bytes));
      },
    }),
  ];
}

/** With its first part read, so that an error still has a status to be told with. */
async function begun<T>(source: AsyncGenerator<T>): Promise<AsyncGenerator<T>> {
  const first = await toldOfArtifacts(source.next());
  return (async function* rest() {
    try {
      if (first.done !== true) yield first.value;
      yield* source;
    } finally {
      await source.return(undefined);
    }
  })();
}

/** Always as a file that is saved: whatever it holds, it does not run here. */
function download({ reply }: ZenmlCall, name: string, stream: Readable): typeof SENT {
  const plain = name.replaceAll(/[^\w.() -]/g, "_");
  void reply
    .header("content-type", "application/gzip")
    .header("content-disposition", `attachment; filename="${plain}"; filename*=UTF-8''${encoded(name)}`)
    .header("content-security-policy", "default-src 'none'; sandbox")
    .header("cache-control", "private, no-store")
    .send(stream);
  return SENT;
}

const encoded = (name: string): string =>
  encodeURIComponent(name.toWellFormed()).replaceAll(
    /['()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );
