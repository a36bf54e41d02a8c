import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, connect as connectTo, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TLSSocket } from "node:tls";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseDatabaseUrl } from "../../src/kernel/postgres/connection.ts";
import { startEmbeddedPostgres, type EmbeddedPostgres } from "../../src/kernel/postgres/embedded.ts";
import { checkServer, type CheckedServer } from "../../src/kernel/postgres/server-check.ts";

const certificate = (name: string): string => fileURLToPath(new URL(`certificates/${name}`, import.meta.url));

let dataDir: string;
let postgres: EmbeddedPostgres;
/** The same server over TCP, without TLS and behind a proxy that speaks it. */
let plain: Server;
let secured: Server;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "plinth-test-"));
  postgres = await startEmbeddedPostgres({ dataDir, log: () => undefined });
  const { host, port } = postgres.connection;
  const toServer = (client: Socket): void => {
    const server = connectTo(join(host, `.s.PGSQL.${port}`));
    client.on("error", () => server.destroy()).pipe(server);
    server.on("error", () => client.destroy()).pipe(client);
  };
  plain = await listen(toServer);
  secured = await listen((client) => {
    // SSLRequest is eight bytes; the answer to it is one letter (protocol-flow.html#PROTOCOL-FLOW-SSL).
    client.once("data", () => {
      client.write("S");
      const key = readFileSync(certificate("localhost.key"));
      const tls = new TLSSocket(client, {
        isServer: true,
        key,
        cert: readFileSync(certificate("localhost.crt")),
      });
      tls.on("error", () => client.destroy());
      toServer(tls);
    });
  });
  await asOwner(
    `create role stranger login password 'known';
     create role reader login password 'known';
     alter role reader set default_transaction_read_only = on`,
    `create database latin encoding 'LATIN1' template template0 locale 'C' locale_provider libc`,
    `create database closed`,
    `revoke connect on database closed from public`,
  );
});

afterAll(async () => {
  plain?.close();
  secured?.close();
  await postgres?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

async function asOwner(...statements: string[]): Promise<void> {
  const client = new pg.Client({ ...postgres.connection, user: "postgres" });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

async function listen(onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer(onConnection);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return server;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

type Place = {
  server?: Server;
  host?: string;
  user?: string;
  password?: string;
  database?: string;
  query?: string;
};

function check(place: Place): Promise<CheckedServer> {
  const { user = "plinth", database = "plinth", query = "", host = "127.0.0.1" } = place;
  const password = place.password ?? postgres.connection.password;
  const port = portOf(place.server ?? plain);
  return checkServer(
    parseDatabaseUrl(`postgres://${user}:${password}@${host}:${port}/${database}?connect_timeout=2${query}`),
  );
}

test("a good server is described, over TCP and over its socket", async () => {
  const checked = await check({});
  expect(checked.version).toMatch(/^18\.\d+$/);
  expect(checked.warnings).toEqual([]);
  expect(checked.connection.ssl).toBe(false);
  const { host, user, password } = postgres.connection;
  const bySocket = await checkServer(parseDatabaseUrl(`postgres://${user}:${password}@/plinth?host=${host}`));
  expect(bySocket.connection).toMatchObject({ host, ssl: false });
});

test("TLS is used as the sslmode asks", async () => {
  for (const mode of ["prefer", "require"]) {
    const { connection } = await check({ server: secured, query: `&sslmode=${mode}` });
    expect(connection.ssl).toEqual({ rejectUnauthorized: false });
  }
  const trusted = `&sslrootcert=${certificate("localhost.crt")}`;
  const full = await check({ server: secured, host: "localhost", query: `&sslmode=verify-full${trusted}` });
  expect(full.connection.ssl).toMatchObject({ rejectUnauthorized: true });
  const { connection } = await check({ server: secured, query: `&sslmode=verify-ca${trusted}` });
  expect(connection.ssl).toMatchObject({ rejectUnauthorized: true });
});

const refusals: [string, Place, string][] = [
  ["a wrong password", { password: "wrong" }, "the password is wrong, or there is no such user"],
  ["no password", { password: "" }, "it asks for a password, and the address has none"],
  [
    "an unknown database",
    { database: "nowhere" },
    'there is no such database. Run: create database "nowhere"',
  ],
  [
    "a database one may not enter",
    { user: "stranger", password: "known", database: "closed" },
    "the user may not connect to it",
  ],
  [
    "no right to create schemas",
    { user: "stranger", password: "known" },
    'grant create on database "plinth" to "stranger"',
  ],
  ["read-only transactions", { user: "reader", password: "known" }, "its transactions are read-only"],
  ["an encoding other than UTF8", { user: "postgres", database: "latin" }, "its encoding is LATIN1"],
  [
    "no TLS where it is asked for",
    { query: "&sslmode=require" },
    "it offers no TLS, which the sslmode asks for",
  ],
  ["an unknown host", { host: "nowhere.invalid" }, "the host name 'nowhere.invalid'"],
];

test.each(refusals)("%s is an error of its own, without the password", async (_name, place, message) => {
  const error: unknown = await check(place).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(String(error)).toContain(message);
  expect(String(error)).not.toContain(postgres.connection.password);
});

test("a certificate nobody vouches for, or for another name, is refused", async () => {
  await expect(check({ server: secured, host: "localhost", query: "&sslmode=verify-full" })).rejects.toThrow(
    "its certificate is self-signed. Give its authority's certificate with sslrootcert=FILE.",
  );
  const query = `&sslmode=verify-full&sslrootcert=${certificate("localhost.crt")}`;
  await expect(check({ server: secured, query })).rejects.toThrow("its certificate is not for '127.0.0.1'");
});

test("a port that nothing listens on, a silent one and another protocol are told apart", async () => {
  const gone = await listen(() => undefined);
  const port = portOf(gone);
  await new Promise((done) => gone.close(done));
  const url = `postgres://me:pw@127.0.0.1:${port}/base`;
  await expect(checkServer(parseDatabaseUrl(url))).rejects.toThrow("nothing listens there");
  await using silent = await listen((socket) => socket.on("error", () => undefined).resume());
  await expect(check({ server: silent, query: "&sslmode=disable" })).rejects.toThrow(
    "it does not answer in time",
  );
  await using web = await listen((socket) =>
    socket
      .on("error", () => undefined)
      .resume()
      .end("HTTP/1.1 400 Bad Request\r\n\r\n"),
  );
  await expect(check({ server: web, query: "&sslmode=disable" })).rejects.toThrow(
    "does not speak PostgreSQL's protocol",
  );
  await expect(checkServer(parseDatabaseUrl(`postgres://me:pw@/base?host=${dataDir}`))).rejects.toThrow(
    `there is no socket .s.PGSQL.5432 in ${dataDir}`,
  );
});
