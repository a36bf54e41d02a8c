import type { Socket } from "node:net";
import type { Worker } from "node:worker_threads";
import { OutboundError } from "../../../kernel/outbound/outbound-error.ts";
import type { Outbound } from "../../../kernel/outbound/outbound.ts";
import { AuthorizationFailure, type Ssh, type SshLogin } from "./connector.ts";
import {
  startSshThread,
  type KeyProblem,
  type LoginProblem,
  type ThreadAnswer,
  type ThreadQuestion,
} from "./ssh-thread.ts";

export type SshOptions = {
  outbound: Outbound;
  port: number;
  /** For each host; the key and all hosts together may take twice as long. */
  timeoutMs?: number;
};

const TIMEOUT_MS = 12_000;
/** More than a handshake and a login with long keys and a banner take. */
const MAX_BYTES = 256 * 1024;
const HOSTS_AT_ONCE = 4;
const THREADS_AT_ONCE = 2;
const MAX_WAITING = 16;

const keyProblems: Readonly<Record<KeyProblem, string>> = {
  encrypted: "the SSH key is encrypted, and there is no passphrase in the configuration",
  passphrase: "the SSH key cannot be decrypted with the passphrase in the configuration",
  format: "the SSH key cannot be read: it must be a private key in the format of OpenSSH or PEM, in Base64",
};

const loginProblems: Readonly<Record<LoginProblem, string>> = {
  handshake: "the SSH handshake fails, as with a server that knows none of the current ciphers",
  authentication: "it does not accept the username and the key",
  connection: "the connection is closed before the login is over",
};

export function createSsh({ outbound, port, timeoutMs = TIMEOUT_MS }: SshOptions): Ssh {
  const enter = createGate();
  return async (login) => {
    const leave = await enter();
    const stop = new AbortController();
    const { signal } = stop;
    const timer = setTimeout(() => stop.abort(), 2 * timeoutMs);
    const thread = startSshThread();
    const limits = { timeoutMs, signal };
    try {
      const talk = converse(thread, signal);
      const words = "the SSH key takes too long to decrypt: encrypt it with fewer rounds";
      await inTime(talk.readKey(login), { ...limits, timeoutMs: 2 * timeoutMs, words });
      const hosts = login.hosts.values();
      const visit = async (): Promise<void> => {
        for (const host of hosts) {
          const socket = await connectTo(outbound, host, { ...limits, port });
          const about = { host, username: login.username };
          await inTime(talk.login(socket, about), { ...limits, words: `'${host}' does not answer in time` });
        }
      };
      await Promise.all(Array.from({ length: HOSTS_AT_ONCE }, visit));
    } finally {
      clearTimeout(timer);
      stop.abort();
      await thread.terminate();
      leave();
    }
  };
}

async function connectTo(
  outbound: Outbound,
  host: string,
  how: { port: number; timeoutMs: number; signal: AbortSignal },
): Promise<Socket> {
  try {
    return await outbound.connect({ host: host.trim(), ...how });
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    throw new AuthorizationFailure(`'${host}' cannot be reached by SSH: ${error.message}`);
  }
}

type Conversation = {
  readKey(login: SshLogin): Promise<void>;
  login(socket: Socket, about: { host: string; username: string }): Promise<void>;
};

/** Between the thread and the hosts. */
function converse(thread: Worker, signal: AbortSignal): Conversation {
  const listeners = new Map<number | "key", (answer: ThreadAnswer) => void>();
  const { promise: broken, reject } = Promise.withResolvers<never>();
  broken.catch(() => undefined);
  thread.on("message", (answer: ThreadAnswer) => {
    listeners.get("host" in answer ? answer.host : "key")?.(answer);
  });
  // Out of memory, or what no host has been seen to bring about.
  thread.on("error", (error) => reject(new AuthorizationFailure("SSH breaks off", { cause: error })));
  const tell = (question: ThreadQuestion): void => thread.postMessage(question);
  let next = 0;

  return {
    readKey({ privateKey, passphrase, keyTypes }) {
      const { promise, resolve, reject: refuse } = Promise.withResolvers<void>();
      listeners.set("key", (answer) => {
        if ("keyProblem" in answer) refuse(new AuthorizationFailure(keyProblems[answer.keyProblem]));
        else if ("keyType" in answer && !keyTypes.includes(answer.keyType)) {
          refuse(
            new AuthorizationFailure(`the SSH key is of the type ${answer.keyType}, not ${keyTypes[0]}`),
          );
        } else resolve();
      });
      tell({ key: privateKey, passphrase });
      return Promise.race([promise, broken]);
    },
    async login(socket, { host, username }) {
      const id = next++;
      const { promise, resolve, reject: refuse } = Promise.withResolvers<void>();
      let received = 0;
      let head = "";
      const fail = (why: string): void => refuse(new AuthorizationFailure(`'${host}': ${why}`));
      listeners.set(id, (answer) => {
        if ("bytes" in answer) socket.write(answer.bytes);
        else if ("loggedIn" in answer) resolve();
        else if ("problem" in answer) {
          fail(speaksSsh(head) ? loginProblems[answer.problem] : "what answers there does not speak SSH");
        }
      });
      socket.on("data", (bytes: Buffer) => {
        received += bytes.length;
        if (!speaksSsh(head)) head = (head + bytes.toString("latin1")).slice(0, MAX_BYTES);
        if (received > MAX_BYTES) fail("it sends more than a login needs");
        else tell({ host: id, bytes: new Uint8Array(bytes) });
      });
      socket.once("close", () => tell({ host: id, ended: true }));
      const close = (): void => void socket.destroy();
      signal.addEventListener("abort", close, { once: true });
      if (signal.aborted) close();
      tell({ host: id, username });
      try {
        await Promise.race([promise, broken]);
      } finally {
        listeners.delete(id);
        signal.removeEventListener("abort", close);
        close();
      }
    },
  };
}

/** Lines may come before the one that says so (RFC 4253, 4.2). */
const speaksSsh = (head: string): boolean => /(?:^|\n)SSH-(?:2\.0|1\.99)-/.test(head);

async function inTime(
  work: Promise<void>,
  { timeoutMs, signal, words }: { timeoutMs: number; signal: AbortSignal; words: string },
): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const giveUp = (): void => reject(new AuthorizationFailure(words));
  const timer = setTimeout(giveUp, timeoutMs);
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    if (signal.aborted) giveUp();
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", giveUp);
  }
}

/** Lets in so many at a time, the others in turn. */
function createGate(): () => Promise<() => void> {
  let inside = 0;
  const waiting: (() => void)[] = [];
  return async () => {
    if (waiting.length >= MAX_WAITING)
      throw new AuthorizationFailure("too many connections by SSH are being verified: try again later");
    if (inside >= THREADS_AT_ONCE) await new Promise<void>((resolve) => void waiting.push(resolve));
    else inside += 1;
    return () => {
      const first = waiting.shift();
      if (first === undefined) inside -= 1;
      else first();
    };
  };
}
