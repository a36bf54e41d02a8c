import { createHash } from "node:crypto";
import { chmodSync, chownSync, lstatSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canReach, type RunAs, type SystemUser } from "./system-user.ts";

/** Where the server listens, as clients and as the server itself name it: a Unix socket in a folder, or loopback where no socket can be made. */
export type Listening =
  | { kind: "socket"; folder: string; serverFolder: string }
  | { kind: "loopback"; port: number };

export const SOCKET_PORT = 5432;

/** sun_path of unix(7) is 108 bytes with its closing null (104 on macOS). */
const LONGEST_PATH = process.platform === "linux" ? 107 : 103;

/** Picks a place that only the server's user can enter: by the data, else below the system's temporary folder. */
export async function chooseListening(dataDir: string, runAs: RunAs): Promise<Listening> {
  const { user } = runAs;
  const cluster = join(dataDir, "postgres");
  if (runAs.nameOf(cluster) !== cluster && fits(cluster) && (await takesSockets(cluster))) {
    return { kind: "socket", folder: cluster, serverFolder: runAs.nameOf(cluster) };
  }
  const mark = createHash("sha256").update(dataDir).digest("hex").slice(0, 12);
  const places = [
    () => ownFolder(join(dataDir, "postgres-socket"), user),
    () => ownFolder(join(tmpdir(), `plinth-${mark}`), user),
    () => ownFolder(mkdtempSync(join(tmpdir(), "plinth-")), user),
  ];
  for (const place of places) {
    const folder = place();
    if (folder !== undefined && canReach(folder, user) && (await takesSockets(folder))) {
      return { kind: "socket", folder, serverFolder: folder };
    }
  }
  return { kind: "loopback", port: await freePort() };
}

const fits = (folder: string): boolean =>
  Buffer.byteLength(join(folder, `.s.PGSQL.${SOCKET_PORT}`)) <= LONGEST_PATH;

function ownFolder(folder: string, user: SystemUser | undefined): string | undefined {
  if (!fits(folder)) return undefined;
  try {
    mkdirSync(folder, { mode: 0o700, recursive: true });
    const found = lstatSync(folder);
    const self = process.getuid?.() ?? found.uid;
    // Anybody may put a folder or a link under a name in /tmp before we do.
    if (!found.isDirectory() || (found.uid !== self && found.uid !== user?.uid)) return undefined;
    if (user !== undefined) chownSync(folder, user.uid, user.gid);
    chmodSync(folder, 0o700);
    return folder;
  } catch {
    return undefined;
  }
}

/** Some file systems (shared folders of virtual machines, old network ones) have no sockets. */
async function takesSockets(folder: string): Promise<boolean> {
  const path = join(folder, ".s.trial");
  rmSync(path, { force: true });
  const server = createServer();
  const works = await new Promise<boolean>((done) => {
    server.once("error", () => done(false));
    server.listen(path, () => done(true));
  });
  if (works) await new Promise((done) => server.close(done));
  return works;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done, failed) => {
    server.once("error", failed);
    server.listen(0, "127.0.0.1", done);
  });
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === "string") throw new Error("no TCP port on loopback");
  return address.port;
}
