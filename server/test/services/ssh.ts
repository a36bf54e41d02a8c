import { once } from "node:events";
import {
  createServer as createTcpServer,
  type AddressInfo,
  type Server as TcpServer,
  type Socket,
} from "node:net";
import ssh2 from "ssh2";

export type SshHost = AsyncDisposable & {
  readonly port: number;
  /** How each login went: the user and the kind of the key, or what else was tried. */
  readonly seen: string[];
};

const hostKey = ssh2.utils.generateKeyPairSync("ed25519").private;

type SshHostOptions = { user: string; publicKey: string; server?: Partial<ssh2.ServerConfig> };

/** A host on loopback that lets one user in with one key. */
export async function startSshHost({ user, publicKey, server: more }: SshHostOptions): Promise<SshHost> {
  const wanted = ssh2.utils.parseKey(publicKey);
  if (wanted instanceof Error) throw wanted;
  const seen: string[] = [];
  const server = new ssh2.Server({ hostKeys: [hostKey], ...more }, (client) => {
    client.on("error", () => undefined);
    client.on("authentication", (context) => {
      if (context.method !== "publickey") {
        seen.push(context.method);
        return context.reject(["publickey"]);
      }
      const isKey = context.key.data.equals(wanted.getPublicSSH());
      const { signature, blob } = context;
      const isSigned =
        signature === undefined || blob === undefined
          ? "asked"
          : // What it cannot verify is an Error.
            [true].includes(wanted.verify(blob, signature, context.hashAlgo));
      if (context.username !== user || !isKey || isSigned === false) {
        seen.push(`refused ${context.username}`);
        return context.reject();
      }
      if (isSigned === true) seen.push(`${user} ${wanted.type}`);
      return context.accept();
    });
    client.on("session", () => void seen.push("session"));
  });
  const { port, close } = await listening(server);
  return { port, seen, [Symbol.asyncDispose]: close };
}

/** A host on loopback that does with connections what it is told to. */
export async function startTcpHost(answer: (socket: Socket) => void): Promise<Omit<SshHost, "seen">> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket.on("error", () => undefined));
    answer(socket);
  });
  const { port, close } = await listening(server);
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await close();
    },
  };
}

async function listening(server: TcpServer): Promise<{ port: number; close(): Promise<void> }> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}
