import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { PlinthError } from "../errors.ts";

/** Who the server runs as when Plinth itself runs as root, which PostgreSQL refuses. */
export type SystemUser = { uid: number; gid: number };

/** Names to look for, best first; the first is created when none of the others will do. */
const PREFERRED = "postgres";
const LAST_RESORT = "nobody";

/** The user to run the server as: none when Plinth is not root, else the owner of the data or a system user. */
export function findSystemUser(clusterFolder: string): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const owner = statSync(clusterFolder, { throwIfNoEntry: false });
  if (owner !== undefined && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  return lookUp(PREFERRED) ?? create(PREFERRED) ?? lookUp(LAST_RESORT) ?? refuse();
}

function lookUp(name: string): SystemUser | undefined {
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((entry) => entry.startsWith(`${name}:`));
  const fields = line?.split(":");
  const uid = Number(fields?.[2]);
  const gid = Number(fields?.[3]);
  return Number.isInteger(uid) && Number.isInteger(gid) && uid !== 0 ? { uid, gid } : undefined;
}

function create(name: string): SystemUser | undefined {
  const attempts: [string, string[]][] = [
    ["useradd", ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", name]],
    // BusyBox.
    ["adduser", ["-S", "-D", "-H", "-s", "/sbin/nologin", name]],
  ];
  for (const [command, args] of attempts) {
    if (spawnSync(command, args, { stdio: "ignore" }).status === 0) return lookUp(name);
  }
  return undefined;
}

function refuse(): never {
  throw new PlinthError(
    "unavailable",
    "PostgreSQL cannot run as root, and there is no user 'postgres' or 'nobody' to run it as. " +
      "Create one (useradd --system postgres), start Plinth as an ordinary user, or use --database-url.",
  );
}

/** True when `user` may enter `folder`. Asked of the system itself, so that ACLs count too. */
export function canReach(folder: string, user: SystemUser | undefined): boolean {
  return user === undefined || closedFolder(folder, user) === undefined;
}

/** The topmost folder on the way to `folder` that `user` may not enter. */
function closedFolder(folder: string, user: SystemUser): string | undefined {
  const way = [folder];
  for (let at = folder; dirname(at) !== at; at = dirname(at)) way.unshift(dirname(at));
  const script = 'for d in "$@"; do [ -x "$d" ] || { printf %s "$d"; exit 1; }; done';
  const { status, stdout } = spawnSync("/bin/sh", ["-c", script, "sh", ...way], {
    encoding: "utf8",
    cwd: "/",
    ...user,
  });
  return status === 0 ? undefined : stdout;
}

/** A name that leads a process to its own working folder, without passing the folders above it (Linux). */
const WORKING_FOLDER = "/proc/self/cwd";

export type RunAs = {
  /** None: as whoever Plinth runs as. */
  user: SystemUser | undefined;
  /** What the server must call a folder that is its working folder. */
  nameOf: (folder: string) => string;
};

/**
 * Lets `user` pass through the data folder to the server's own folder below it (through, not see: the
 * files in it are closed on their own). Folders above are their owner's business: when one is closed
 * (a data folder below root's home, or in a `mktemp -d` of root), the server is started inside its folder and
 * never walks the way to it, which works on Linux.
 */
export function openTheWay(dataDir: string, user: SystemUser | undefined): RunAs {
  const byName: RunAs = { user, nameOf: (folder) => folder };
  if (user === undefined || closedFolder(dataDir, user) === undefined) return byName;
  if (!searchable(dataDir, user)) {
    chownSync(dataDir, statSync(dataDir).uid, user.gid);
    chmodSync(dataDir, (statSync(dataDir).mode & 0o777) | 0o010);
  }
  const closed = closedFolder(dataDir, user);
  if (closed === undefined) return byName;
  if (process.platform === "linux") return { user, nameOf: () => WORKING_FOLDER };
  throw new PlinthError(
    "unavailable",
    `PostgreSQL cannot run as root, so it runs as user id ${user.uid}, which may not enter ${closed}. ` +
      `Give --data-dir a folder outside of ${closed}, open it (chmod o+x ${closed}), ` +
      "start Plinth as an ordinary user, or use --database-url.",
  );
}

function searchable(folder: string, user: SystemUser): boolean {
  const { uid, gid, mode } = statSync(folder);
  if (uid === user.uid) return (mode & 0o100) !== 0;
  return gid === user.gid ? (mode & 0o010) !== 0 : (mode & 0o001) !== 0;
}
