// Runs a command as a container would, without a container engine: it is the first process of its own process namespace, below
// its own root, all of which is read-only but its data folder, under a user of no name and no rights.
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { readlinkSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startChild, type Child } from "../src/process.ts";

export interface Image {
  /** What `scripts/image-tree.ts` made. */
  readonly tree: string;
  /** The Node of the base image. */
  readonly node: string;
  readonly user: { readonly uid: number; readonly gid: number };
  readonly env: Readonly<Record<string, string>>;
  readonly workdir: string;
  /** The only folder that can be written to. */
  readonly volume: string;
}

export interface Container extends Child {
  /** Sends SIGTERM to the first process, as a container engine does, and answers the exit code. */
  terminate(): Promise<number | string>;
}

/** Of the machine, in place of the base image's. */
const systemFolders = ["usr", "bin", "sbin", "lib", "lib64", "etc"];

const inside = `
set -eu
root=$1 app=$2 node=$3 volume=$4 data=$5 workdir=$6 user=$7
shift 7
mount --make-rprivate /
mount --bind "$root" "$root"
for folder in ${systemFolders.join(" ")}; do
  if [ -d "$root/$folder" ] && [ ! -L "$root/$folder" ]; then mount --bind -o ro "/$folder" "$root/$folder"; fi
done
mount --bind -o ro "$root/programs" "$root/usr/local/bin"
mount --bind -o ro "$node" "$root/usr/local/bin/node"
mount --bind -o ro "$app" "$root/app"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount --bind "$data" "$root$volume"
mount -o remount,bind,ro "$root"
exec chroot --userspec="$user" --groups= "$root" env -i --chdir="$workdir" "$@"
`;

/** The folders above which a container is put together, and the one it may write to. */
export class ContainerHost {
  readonly #folder = mkdtempSync(join(tmpdir(), "plinth-container-"));
  readonly #image: Image;
  readonly data: string;

  constructor(image: Image) {
    this.#image = image;
    chmodSync(this.#folder, 0o755);
    this.data = join(this.#folder, "data");
    mkdirSync(this.data, { mode: 0o750 });
    chownSync(this.data, image.user.uid, image.user.gid);
    const root = join(this.#folder, "root");
    for (const path of ["programs", "proc", "dev", "app", image.volume])
      mkdirSync(join(root, path), { recursive: true });
    for (const name of systemFolders) {
      if (!existsSync(`/${name}`)) continue;
      if (lstatSync(`/${name}`).isSymbolicLink()) symlinkSync(readlinkSync(`/${name}`), join(root, name));
      else mkdirSync(join(root, name));
    }
    writeFileSync(join(root, "programs", "node"), "");
    symlinkSync("/app/cli/src/main.js", join(root, "programs", "plinth"));
  }

  run(command: readonly string[], env: Readonly<Record<string, string>> = {}): Container {
    const { node, tree, volume, workdir, user } = this.#image;
    const namespaces = ["--mount", "--pid", "--fork", "--kill-child"];
    const folders = [join(this.#folder, "root"), join(tree, "app"), realpathSync(node), volume, this.data];
    const variables = Object.entries({ PATH: "/usr/local/bin:/usr/bin:/bin", ...this.#image.env, ...env });
    const child = startChild(
      "unshare",
      namespaces.concat(
        ["sh", "-c", inside, "sh"],
        folders,
        workdir,
        `${user.uid}:${user.gid}`,
        variables.map(([name, value]) => `${name}=${value}`),
        command,
      ),
    );
    return {
      ...child,
      async terminate() {
        // `unshare` itself takes no notice of signals while it waits.
        const first = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim();
        process.kill(Number(first), "SIGTERM");
        return child.ended;
      },
    };
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
