import type { Readable } from "node:stream";
import type { Config } from "./config.ts";
import { openDatabase } from "./kernel/database.ts";
import { createHttpServer } from "./kernel/http.ts";
import { createLog } from "./kernel/log.ts";
import { createMetrics } from "./kernel/metrics.ts";
import { http } from "./kernel/node-http.ts";
import type { PostgresConnection } from "./kernel/postgres/connection.ts";
import { createIdentity, createRequestAudit } from "./modules/identity/index.ts";
import { renderConsoleError } from "./protocols/console/errors.ts";
import { registerIdentity } from "./protocols/console/identity.ts";
import { openWorkspaces } from "./open-workspaces.ts";
import { openSecrets } from "./secret-keys.ts";

export type OperatorRequest = { method: string; path: string; body?: unknown };

/** Plinth's own API of identity for whoever has the database: without a socket, and so without a login. */
export type Operator = AsyncDisposable & {
  request(request: OperatorRequest): Promise<{ status: number; body: string }>;
  /** Whether somebody could log in as administrator. */
  hasAdmin(): Promise<boolean>;
  /** The answer as it comes, for those that do not fit into memory. */
  stream(path: string): Promise<{ status: number; body: Readable }>;
};

/**
 * The same routes, rules and audit log as those of a server, right on its database, as the local administrator.
 * Nothing listens. Servers on the same database hear of the changes as they do of each other's.
 */
export async function openOperator(config: Config, connection: PostgresConnection): Promise<Operator> {
  await using opened = new AsyncDisposableStack();
  const log = createLog({ level: "warn", format: config.logFormat });
  const now = (): number => Date.now();
  const database = openDatabase({
    connection,
    poolSize: 2,
    statementTimeoutMs: config.statementTimeoutSeconds * 1000,
    onIdleError: () => undefined,
  });
  opened.defer(() => database.close());
  const workspaces = openWorkspaces(database, now);
  const identity = createIdentity({
    database,
    now,
    log,
    workspaces,
    secrets: await openSecrets(config, config.databaseUrl === undefined ? "embedded" : "external"),
    loginRequired: false,
    defaultPermission: config.defaultPermission,
  });
  opened.defer(() => identity.close());
  opened.defer(() => identity.audit.flush(true));
  const requestAudit = createRequestAudit({
    audit: identity.audit,
    level: config.auditLevel,
    isProtected: (name) => workspaces.isProtected(name),
  });
  const { app } = createHttpServer({
    server: new http.Server(),
    draining: () => false,
    requestTimeoutMs: 0,
    log,
    metrics: createMetrics(),
    maxBodyBytes: config.maxBodyMib * 1024 * 1024,
    maxConcurrentRequests: config.maxConcurrentRequests,
    allowedHosts: [],
    corsOrigins: [],
    publicUrl: undefined,
    trustedProxies: [],
    authenticate: identity.authenticate,
    admit: identity.admit,
    onAnswer: requestAudit.onAnswer,
    onError: requestAudit.onRefused,
    renderError: () => renderConsoleError,
  });
  registerIdentity(app, { identity, workspaces, loginRequired: false });
  await app.ready();
  const kept = opened.move();
  return {
    async request({ method, path, body }) {
      const answer = await app.inject({
        method: method as "GET",
        url: path,
        ...(body === undefined ? {} : { payload: body as object }),
      });
      return { status: answer.statusCode, body: answer.body };
    },
    hasAdmin: () => identity.principals.hasAdmin(),
    async stream(path) {
      const answer = await app.inject({ method: "GET", url: path, payloadAsStream: true });
      return { status: answer.statusCode, body: answer.stream() };
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
