// OpenSSH's own server on port 22 of an address of its own on loopback: ZenML's connectors know no other port.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { connect } from "node:net";
import { join } from "node:path";
import { installFromDebian } from "../src/debian.ts";
import { startChild, waitFor } from "../src/process.ts";

export interface Sshd {
  readonly address: string;
  readonly user: string;
  /** Makes a pair of keys with `ssh-keygen`, lets it in unless told otherwise, and gives the private one. */
  key(name: string, args: readonly string[], isLetIn?: boolean): string;
  /** Whom it let in, with the kind of the key, in order. */
  accepted(): string[];
  stop(): Promise<void>;
}

const program = "/usr/sbin/sshd";

/** Why there is none here; undefined where there is one, which in CI there always is. */
export function whyNoSshd(): string | undefined {
  const isRoot = process.getuid?.() === 0;
  const isCi = Boolean(process.env["CI"]);
  if (!existsSync(program)) installFromDebian("openssh-server");
  const why = !isRoot
    ? "only root may listen on port 22"
    : existsSync(program)
      ? undefined
      : "there is no sshd: apt-get install openssh-server, or set PLINTH_INSTALL=1";
  if (why !== undefined && isCi) throw new Error(`In CI machines are reached by SSH: ${why}`);
  return why;
}

export async function startSshd(): Promise<Sshd> {
  const folder = mkdtempSync(join(tmpdir(), "plinth-sshd-"));
  const [one = 1, other = 1] = createHash("sha256").update(folder).digest();
  const address = `127.22.${one}.${other || 1}`;
  const keygen = (name: string, args: readonly string[]): string => {
    const file = join(folder, name);
    const done = spawnSync("ssh-keygen", ["-q", "-C", "", "-f", file, ...args], { encoding: "utf8" });
    if (done.status !== 0) throw new Error(`ssh-keygen ended with ${done.status}: ${done.stderr}`);
    return file;
  };
  const letIn = join(folder, "authorized_keys");
  writeFileSync(letIn, "");
  const settings = [
    `ListenAddress ${address}:22`,
    `HostKey ${keygen("host", ["-t", "ed25519", "-N", ""])}`,
    `AuthorizedKeysFile ${letIn}`,
    "AuthenticationMethods publickey",
    "PermitRootLogin prohibit-password",
    "StrictModes no",
    "UsePAM no",
    "PidFile none",
    "LogLevel VERBOSE",
  ];
  writeFileSync(join(folder, "sshd_config"), settings.join("\n"));
  // Where it locks up the part of it that speaks with strangers.
  mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  const child = startChild(program, ["-D", "-e", "-f", join(folder, "sshd_config")]);
  await waitFor(child, "sshd", async () => ((await answers(address)) ? true : undefined));
  return {
    address,
    user: userInfo().username,
    key(name, args, isLetIn = true) {
      const file = keygen(name, args);
      if (isLetIn) writeFileSync(letIn, readFileSync(`${file}.pub`), { flag: "a" });
      return readFileSync(file, "utf8");
    },
    accepted: () =>
      [...child.output().matchAll(/Accepted publickey for (\S+) .*?ssh2: (\S+)/g)].map(
        ([, user, kind]) => `${user} ${kind}`,
      ),
    async stop() {
      await child.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const answers = (host: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port: 22 });
    socket.on("error", () => resolve(false));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
