import type { PurgeResult, ServerStatus } from "@plinth/contract";
import { openBlobStore } from "./blob-store.ts";
import { asksForLogin, type Config } from "./config.ts";
import { errorDialectOf } from "./error-dialects.ts";
import type { Database, Queryable } from "./kernel/database.ts";
import { createHttpServer, type RouteEntry } from "./kernel/http.ts";
import { startJobs } from "./kernel/jobs.ts";
import type { Listener } from "./kernel/listener.ts";
import type { Log } from "./kernel/log.ts";
import type { Metrics } from "./kernel/metrics.ts";
import { createOutbound } from "./kernel/outbound/outbound.ts";
import {
  createIdentity,
  createRequestAudit,
  openOidc,
  type Identity,
  type PasswordCost,
} from "./modules/identity/index.ts";
import { createPipelineLineage, createPipelines, createWorkloads } from "./modules/pipelines/index.ts";
import { createRegistry } from "./modules/registry/index.ts";
import { createStorage, type Storage } from "./modules/storage/index.ts";
import { createTracking } from "./modules/tracking/index.ts";
import { registerIdentity } from "./protocols/console/identity.ts";
import { registerConsole } from "./protocols/console/index.ts";
import { receiveVisitor } from "./protocols/console/login-routes.ts";
import { registerPages } from "./protocols/console/pages.ts";
import { ARTIFACT_BUCKET, keyOfLocation } from "./protocols/mlflow/artifacts-paths.ts";
import { createGuard, needs } from "./protocols/mlflow/guard.ts";
import { registerMlflow } from "./protocols/mlflow/index.ts";
import { createOwners } from "./protocols/mlflow/owners.ts";
import { openWebUi } from "./protocols/mlflow/web-ui-files.ts";
import { registerWebUi } from "./protocols/mlflow/web-ui.ts";
import { registerOps } from "./protocols/ops/index.ts";
import { registerZenml } from "./protocols/zenml/index.ts";
import { startMetricsServer } from "./protocols/ops/metrics-server.ts";
import { openWorkspaces } from "./open-workspaces.ts";
import { openSecrets } from "./secret-keys.ts";
import { oidcSettings } from "./oidc-settings.ts";
import { MLFLOW_API_VERSION, PLINTH_VERSION } from "./version.ts";

export type AppOptions = {
  config: Config;
  listener: Listener;
  database: Database;
  databaseKind: "embedded" | "external";
  databaseVersion: string;
  log: Log;
  metrics: Metrics;
  /** Throws where the application is not to serve anybody yet. */
  beforeServing?(identity: Identity): Promise<void>;
  passwordCost?: PasswordCost;
};

export type App = {
  routes: readonly RouteEntry[];
  identity: Identity;
  /** Where metrics are without a login; undefined where they are not. */
  metricsAddress: string | undefined;
  /** Removes for good what was deleted so long ago, and gives back its bytes. */
  purge(olderThanMs: number): Promise<PurgeResult>;
  /** Ends background work; requests have been drained before. */
  close(): Promise<void>;
};

/** The composition root: the only file that knows every part. */
export async function createApp(options: AppOptions): Promise<App> {
  const { config, listener, database, log, metrics } = options;
  const startedAt = new Date().toISOString();
  const webUi = config.mlflowUi === undefined ? undefined : await openWebUi(config.mlflowUi);
  const now = (): number => Date.now();
  const onBatch = (name: string, size: number): void => metrics.batchSize.observe({ batch: name }, size);

  const blobs = await openBlobStore(config);
  const storage = createStorage({ database, blobs, inlineBytes: config.inlineObjectKib * 1024, onBatch });
  await storage.ensureBucket(ARTIFACT_BUCKET);
  const workspaces = openWorkspaces(database, now);
  const secrets = await openSecrets(config, options.databaseKind);
  const workloads = createWorkloads({ database, now });
  const identity = createIdentity({
    database,
    now,
    secrets,
    log,
    workspaces,
    onBatch,
    passwordCost: options.passwordCost,
    loginRequired: asksForLogin(config),
    workloadEnd: async (claims) => (await workloads.read(claims)).endsAt,
    defaultPermission: config.defaultPermission,
    oidc: await openOidc(oidcSettings(config)),
  });
  const publicUrl = config.publicUrl === undefined ? undefined : new URL(config.publicUrl);
  try {
    await options.beforeServing?.(identity);
  } catch (error) {
    await identity.close();
    await blobs.close();
    throw error;
  }
  if (asksForLogin(config) && secrets.currentPrefix === undefined) {
    log.warn(
      "no key to encrypt secrets with: tokens, and with them `plinth login` and ZenML's clients, need one",
    );
  }
  await workspaces.readProtected();
  const requestAudit = createRequestAudit({
    audit: identity.audit,
    level: config.auditLevel,
    isProtected: (name) => workspaces.isProtected(name),
  });
  const http = createHttpServer({
    server: listener.server,
    draining: () => listener.draining,
    log,
    metrics,
    maxBodyBytes: config.maxBodyMib * 1024 * 1024,
    maxConcurrentRequests: config.maxConcurrentRequests,
    requestTimeoutMs: config.requestTimeoutSeconds * 1000,
    allowedHosts: [
      ...config.allowedHosts,
      config.host,
      ...(publicUrl === undefined ? [] : [publicUrl.hostname]),
    ],
    corsOrigins: config.corsOrigins,
    publicUrl,
    trustedProxies: config.trustedProxies,
    authenticate: identity.authenticate,
    admit: identity.admit,
    onAnswer: requestAudit.onAnswer,
    onError: requestAudit.onRefused,
    renderError: errorDialectOf,
  });
  metrics.observePool(database);

  const tracking = createTracking({
    database,
    now,
    onBatch,
    deleteArtifacts: (uri, within) => deleteBelow(storage, uri, within),
    grants: identity.roles,
  });
  const outbound = createOutbound({
    allowed: config.outboundAllowedHosts,
    userAgent: `Plinth/${PLINTH_VERSION}`,
  });
  const registry = createRegistry({
    database,
    tracking,
    grants: identity.roles,
    now,
    onBatch,
    log,
    outbound,
    secrets,
    webhookTimeoutMs: config.webhookTimeoutSeconds * 1000,
    webhookMaxAttempts: config.webhookMaxAttempts,
    onDelivery: (outcome) => metrics.webhookDeliveries.inc({ outcome }),
  });
  const status = (): ServerStatus => ({
    version: PLINTH_VERSION,
    mlflow_api_version: MLFLOW_API_VERSION,
    pid: process.pid,
    started_at: startedAt,
    database: {
      kind: options.databaseKind,
      version: options.databaseVersion,
      connections: database.pool.total,
    },
    blob_store: config.blobStore,
  });
  registerOps(http.app, {
    metrics,
    draining: () => listener.draining,
    probe: async () => {
      await database.prepared({ name: "kernel_probe", text: "select 1 as one" }, []);
    },
  });
  const guard = createGuard({
    owners: createOwners(tracking, registry),
    bucket: ARTIFACT_BUCKET,
    renew: (given) => identity.renew(given),
  });
  const purge = async (olderThanMs: number): Promise<PurgeResult> => {
    const purged = await tracking.purge({ olderThanMs });
    await workspaces.purgeWorkspaces({ olderThanMs });
    await storage.sweep({ graceSeconds: 0 });
    return purged;
  };
  registerConsole(http.app, {
    lineage: registry,
    pipelineLineage: createPipelineLineage({ database, tracking, registry }),
    requireRead: (scope, on) => guard.require(scope, [needs("read", on)]),
    webhooks: registry,
    enter: identity.enter,
    purge,
    status,
  });
  registerIdentity(http.app, { identity, workspaces, loginRequired: asksForLogin(config) });
  await registerPages(http.app, { identity, provider: identity.oidc, atRoot: webUi === undefined, status });
  if (webUi !== undefined) {
    const visited = { identity, provider: identity.oidc };
    registerWebUi(http.app, webUi, (request, reply) => receiveVisitor(request, reply, visited));
  }
  const pipelines = createPipelines({ database, now, secrets, outbound });
  await pipelines.flavors.prepare();
  await registerZenml(http.app, {
    identity,
    workspaces,
    pipelines,
    database,
    now,
    loginRequired: asksForLogin(config),
  });
  await registerMlflow(http.app, {
    guard,
    identity,
    workspaces,
    tracking,
    registry,
    storage,
  });
  // The embedded database serves one process: whatever is claimed there was claimed by one that is no more.
  if (options.databaseKind === "embedded") await registry.webhookDelivery.takeOver();
  const metricsServer =
    config.metricsPort === undefined
      ? undefined
      : await startMetricsServer(metrics, { host: config.host, port: config.metricsPort });
  await http.app.ready();
  listener.useHandler(http.handler);
  const jobs = startJobs(
    [
      { name: "sweep", everyMs: SWEEP_MS, run: async () => void (await storage.sweep()) },
      { name: "protected workspaces", everyMs: WEBHOOKS_MS, run: () => workspaces.readProtected() },
      {
        name: "audit",
        everyMs: AUDIT_MS,
        run: () => identity.audit.flush(),
      },
      {
        name: "audit retention",
        everyMs: RETENTION_MS,
        run: async () => void (await identity.audit.purge(config.auditRetentionDays * DAY_MS)),
      },
      { name: "identity purge", everyMs: SWEEP_MS, run: () => identity.purge() },
      { name: "session use", everyMs: SESSIONS_MS, run: () => identity.sessions.flush() },
      { name: "session purge", everyMs: SWEEP_MS, run: () => identity.sessions.purge() },
      { name: "webhooks", everyMs: WEBHOOKS_MS, run: async () => registry.webhookDelivery.wake() },
      { name: "webhook purge", everyMs: SWEEP_MS, run: () => registry.webhookDelivery.purge() },
    ],
    log,
  );
  return {
    routes: http.routes,
    purge,
    identity,
    metricsAddress: metricsServer?.address,
    async close() {
      await metricsServer?.close();
      await jobs.stop();
      await registry.webhookDelivery.stop();
      await http.app.close();
      await identity.sessions.flush();
      await identity.audit.flush(true);
      await identity.close();
      await storage.drain();
      await blobs.close();
    },
  };
}

const AUDIT_MS = 15_000;
const DAY_MS = 24 * 60 * 60 * 1000;
const RETENTION_MS = 60 * 60 * 1000;
const SWEEP_MS = 5 * 60 * 1000;
/** One statement for all sessions used meanwhile, each of which is in it once a minute. */
const SESSIONS_MS = 10_000;
/** What this process wrote down is sent at once: this is for repetitions, and for what another one left behind. */
const WEBHOOKS_MS = 1000;

/** Locations elsewhere (`s3://...`) belong to the clients that chose them: their bytes are left alone. */
async function deleteBelow(storage: Storage, location: string, within: Queryable): Promise<void> {
  const key = keyOfLocation(location);
  if (key !== undefined && key !== "") await storage.deletePrefix(ARTIFACT_BUCKET, `${key}/`, within);
}
