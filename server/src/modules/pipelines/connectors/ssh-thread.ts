import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { Client, ParsedKey, PublicKeyAuthMethod, utils } from "ssh2";

/** Why a key is none: for want of its passphrase, with the wrong one, or since it is no private key. */
export type KeyProblem = "encrypted" | "passphrase" | "format";
/** How far it went with a host before it went wrong. */
export type LoginProblem = "handshake" | "authentication" | "connection";

export type ThreadQuestion =
  | { key: string; passphrase: string | undefined }
  | { host: number; username: string }
  | { host: number; bytes: Uint8Array }
  | { host: number; ended: true };

export type ThreadAnswer =
  | { keyType: string }
  | { keyProblem: KeyProblem }
  | { host: number; bytes: Uint8Array }
  | { host: number; loggedIn: true }
  | { host: number; problem: LoginProblem };

type Library = { Client: typeof Client; utils: typeof utils };
type Thread = { library: string };

/** Runs in the thread, from its own source text: it sees nothing of this file. */
function threadMain(): void {
  const { createRequire } = process.getBuiltinModule("node:module");
  const { Duplex } = process.getBuiltinModule("node:stream");
  const { parentPort, workerData } = process.getBuiltinModule("node:worker_threads");
  const { library } = workerData as Thread;
  const { Client: SshClient, utils: keys } = createRequire(library)(library) as Library;
  const answer = (message: ThreadAnswer): void => parentPort?.postMessage(message);
  const streams = new Map<number, InstanceType<typeof Duplex>>();
  let privateKey: ParsedKey | undefined;

  const readKey = (text: string, passphrase: string | undefined): void => {
    const parsed = keys.parseKey(text, passphrase);
    if (parsed instanceof Error) {
      const isEncrypted = /no passphrase given/i.test(parsed.message);
      const isWrong = /passphrase|decrypt|integrity/i.test(parsed.message);
      answer({ keyProblem: isEncrypted ? "encrypted" : isWrong ? "passphrase" : "format" });
    } else if (!parsed.isPrivateKey()) answer({ keyProblem: "format" });
    else {
      privateKey = parsed;
      answer({ keyType: parsed.type });
    }
  };

  const login = (host: number, username: string, client: Client): void => {
    let isOver = false;
    const finish = (message: ThreadAnswer): void => {
      if (isOver) return;
      isOver = true;
      answer(message);
      client.end();
      streams.delete(host);
    };
    const stream = new Duplex({
      read: () => undefined,
      write(bytes: Uint8Array, _encoding, done) {
        // Without what else lies in the memory that it is a part of.
        answer({ host, bytes: new Uint8Array(bytes) });
        done();
      },
    });
    streams.set(host, stream);
    let problem: LoginProblem = "handshake";
    client.on("handshake", () => (problem = "connection"));
    client.on("ready", () => finish({ host, loggedIn: true }));
    client.on("error", ({ level }) => {
      finish({ host, problem: level === "client-authentication" ? "authentication" : problem });
    });
    client.on("end", () => finish({ host, problem }));
    client.on("close", () => finish({ host, problem }));
    const byKey: PublicKeyAuthMethod = { type: "publickey", username, key: privateKey ?? "" };
    client.connect({
      sock: stream,
      username,
      // The one key, and nothing else: a host that lets everybody in would prove nothing.
      authHandler: [byKey],
      readyTimeout: 0,
      // Whoever answers, as ZenML's clients do it.
      hostVerifier: () => true,
      algorithms: {
        // Groups that the host makes up may be large enough to compute for minutes.
        kex: [
          "curve25519-sha256",
          "curve25519-sha256@libssh.org",
          "ecdh-sha2-nistp256",
          "ecdh-sha2-nistp384",
          "ecdh-sha2-nistp521",
          "diffie-hellman-group14-sha256",
          "diffie-hellman-group16-sha512",
        ],
        compress: ["none"],
      },
    });
  };

  parentPort?.on("message", (question: ThreadQuestion) => {
    if ("key" in question) readKey(question.key, question.passphrase);
    else if ("username" in question) {
      try {
        login(question.host, question.username, new SshClient());
      } catch {
        answer({ host: question.host, problem: "handshake" });
      }
    } else streams.get(question.host)?.push("bytes" in question ? Buffer.from(question.bytes) : null);
  });
}

/**
 * A thread that speaks SSH. To take a passphrase off a key takes 26 ms for each round that whoever made the key chose,
 * and what a host answers is work too: neither keeps others waiting, and both end with the thread. The library takes
 * 7 MB and 100 ms to load, and goes with it.
 */
export function startSshThread(): Worker {
  const workerData: Thread = { library: fileURLToPath(import.meta.resolve("ssh2")) };
  return new Worker(`(${threadMain.toString()})()`, {
    eval: true,
    execArgv: [],
    env: {},
    stdout: true,
    stderr: true,
    workerData,
    resourceLimits: { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 64 },
  });
}
