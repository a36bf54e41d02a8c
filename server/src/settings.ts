import { homedir } from "node:os";
import { isIP } from "node:net";
import { join, resolve } from "node:path";
import { adminSettings } from "./admin-settings.ts";
import { parseAllowedHosts } from "./kernel/outbound/allowed-hosts.ts";
import { siteSettings } from "./site-settings.ts";
import { choice, integer, parseCommand, port, text, toggle, type Setting } from "./setting-kinds.ts";

const ports = port("metrics-port", "", 0);

const DEFAULT_FOLDER_OF_ROOT = "/var/lib/plinth";

/**
 * Every setting there is. Flags, environment variables, help, `plinth config` and
 * docs/guides/configuration.md all come from here.
 */
export const settings = {
  dataDir: {
    flag: "data-dir",
    description: "Folder that holds everything Plinth keeps on this machine",
    placeholder: "folder",
    defaultText: `~/.plinth, as root ${DEFAULT_FOLDER_OF_ROOT}`,
    default: (env) =>
      process.getuid?.() === 0 ? DEFAULT_FOLDER_OF_ROOT : join(env["HOME"] ?? homedir(), ".plinth"),
    parse: (value) => {
      if (value === "" || value.includes("\0")) throw new Error("must be the path of a folder");
      return resolve(value);
    },
  } satisfies Setting<string>,
  host: {
    flag: "host",
    description: "Address to listen on",
    placeholder: "address",
    default: () => "127.0.0.1",
    parse: (value) => {
      const bare = value.replace(/^\[(.*)\]$/, "$1");
      if (isIP(bare) !== 0 || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(bare)) return bare;
      throw new Error("must be a host name or an IP address, such as 127.0.0.1");
    },
  } satisfies Setting<string>,
  port: port("port", "Port of the HTTP server; 0 picks a free one", 5000),
  s3Port: port("s3-port", "Port of the S3 protocol; 0 picks a free one", 9000),
  grpcPort: port("grpc-port", "Port of gRPC inference; 0 picks a free one", 8081),
  metricsPort: {
    flag: "metrics-port",
    description:
      "Port of its own for /metrics, on the same address, which asks for no login: for a network that only the monitoring reaches; 0 picks a free one",
    placeholder: "port",
    defaultText: "none: /metrics is on --port, for who may read the server's status",
    default: () => undefined,
    parse: (value): number | undefined => ports.parse(value),
  } satisfies Setting<number | undefined>,
  databaseUrl: text({
    flag: "database-url",
    description:
      "PostgreSQL (15 or newer) to use instead of the embedded one: postgres://user:password@host/database",
    placeholder: "url",
    secret: true,
  }),
  workers: integer(
    {
      flag: "workers",
      description: "Server processes to run; more than one needs --database-url",
      placeholder: "count",
    },
    { default: 1, min: 1, max: 128 },
  ),
  insecure: toggle({
    flag: "insecure",
    description: "Listen on an address other than loopback although anybody who reaches it may do everything",
  }),
  login: choice(
    {
      flag: "login",
      description:
        "Who must log in: `auto` is nobody on a loopback address and everybody else, `required` is everybody",
      placeholder: "when",
    },
    ["auto", "required"],
  ),
  ...adminSettings,
  defaultPermission: choice(
    {
      flag: "default-permission",
      description: "What every user may do in the workspace `default` besides what was granted",
      placeholder: "permission",
    },
    ["NO_PERMISSIONS", "READ", "USE", "EDIT"],
  ),
  auditLevel: choice(
    {
      flag: "audit-level",
      description:
        "Which requests are in the audit log besides logins and refusals: `manage` (deletions, permissions), all `changes`, or `all`",
      placeholder: "level",
    },
    ["manage", "changes", "all"],
  ),
  auditRetentionDays: integer(
    {
      flag: "audit-retention-days",
      description: "How long the audit log is kept; 0 is for ever",
      placeholder: "days",
    },
    { default: 400, min: 0, max: 36_500 },
  ),
  logLevel: choice({ flag: "log-level", description: "Least severe messages to log", placeholder: "level" }, [
    "info",
    "fatal",
    "error",
    "warn",
    "debug",
    "trace",
    "silent",
  ]),
  logFormat: choice(
    { flag: "log-format", description: "json for machines, text for people", placeholder: "format" },
    ["json", "text"],
  ),
  poolSize: integer(
    {
      flag: "pool-size",
      description: "Connections to PostgreSQL a process opens at most",
      placeholder: "count",
    },
    { default: 10, min: 2, max: 500 },
  ),
  blobStore: {
    flag: "blob-store",
    description: "Where the bytes of artifacts go: `disk` (in the data folder) or s3://bucket/prefix",
    placeholder: "store",
    default: () => "disk",
    parse: (value) => {
      if (value === "disk" || /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/.*)?$/.test(value)) return value;
      throw new Error("must be 'disk' or 's3://bucket/prefix'");
    },
  } satisfies Setting<string>,
  s3Endpoint: {
    ...text({
      flag: "s3-endpoint",
      description: "Endpoint of the bucket of --blob-store when it is not Amazon's",
      placeholder: "url",
    }),
    parse: (value: string) => {
      if (/^https?:\/\/[^\s/]/.test(value) && URL.canParse(value)) return value;
      throw new Error("must be an http:// or https:// address");
    },
  },
  s3Region: text({
    flag: "s3-region",
    description: "Region of the bucket of --blob-store",
    placeholder: "region",
  }),
  s3AccessKeyId: text({
    flag: "s3-access-key-id",
    description:
      "Access key of the bucket of --blob-store; without it the standard AWS credential chain is used",
    placeholder: "key",
  }),
  s3SecretAccessKey: text({
    flag: "s3-secret-access-key",
    description: "Secret of --s3-access-key-id",
    placeholder: "secret",
    secret: true,
  }),
  s3PathStyle: toggle({
    flag: "s3-path-style",
    description: "Name the bucket in the path, as most S3 servers but Amazon's want it",
  }),
  inlineObjectKib: integer(
    {
      flag: "inline-object-kib",
      description: "Objects up to this size are kept in their database row",
      placeholder: "KiB",
    },
    { default: 16, min: 0, max: 1024 },
  ),
  allowedHosts: {
    flag: "allowed-hosts",
    description:
      "Host names to accept in the Host header besides loopback and the address listened on, separated by commas",
    placeholder: "names",
    defaultText: "none",
    default: () => [],
    parse: (value) => {
      const names = value.split(",").map((name) => name.trim().toLowerCase());
      if (names.every((name) => name === "*" || /^[a-z0-9_[\]:.-]+$/.test(name))) return names;
      throw new Error("must be host names separated by commas, or * for any");
    },
  } satisfies Setting<string[]>,
  ...siteSettings,
  mlflowUi: text({
    flag: "mlflow-ui",
    description:
      "Serve MLflow's own web UI at /, from an environment with the mlflow package or the folder of its built files",
    placeholder: "folder",
  }),
  outboundAllowedHosts: {
    flag: "outbound-allowed-hosts",
    description:
      "Hosts that webhooks may reach although they are private, or by plain http: names, *.domain, addresses or networks, separated by commas",
    placeholder: "hosts",
    defaultText: "none",
    default: () => [],
    parse: parseAllowedHosts,
  } satisfies Setting<string[]>,
  webhookTimeoutSeconds: integer(
    {
      flag: "webhook-timeout-seconds",
      description: "Longest time the receiver of a webhook may take to answer",
      placeholder: "seconds",
    },
    { default: 30, min: 1, max: 300 },
  ),
  webhookMaxAttempts: integer(
    {
      flag: "webhook-max-attempts",
      description: "How often an event is sent to a receiver that fails; 16 attempts take some four hours",
      placeholder: "count",
    },
    { default: 16, min: 1, max: 100 },
  ),
  secretsKey: text({
    flag: "secrets-key",
    description:
      "Key that secrets are encrypted with: 32 random bytes in base64 or hexadecimal; older keys may follow, separated by commas",
    placeholder: "key",
    secret: true,
  }),
  secretsKeyFile: {
    ...text({
      flag: "secrets-key-file",
      description: "File with the key instead",
      placeholder: "file",
    }),
    defaultText:
      "secrets.key in the data folder, made at the first start, with the embedded database; else none",
  },
  secretsKeyCommand: {
    flag: "secrets-key-command",
    description:
      "Program that writes the key to its standard output, such as the client of a key management service: words, or a JSON list of them; no shell runs it",
    placeholder: "command",
    defaultText: "none",
    default: () => undefined,
    parse: parseCommand,
  } satisfies Setting<readonly string[] | undefined>,
  maxBodyMib: integer(
    {
      flag: "max-body-mib",
      description: "Largest body of an API request (uploads of artifacts stream and have no limit)",
      placeholder: "MiB",
    },
    { default: 32, min: 1, max: 1024 },
  ),
  maxConcurrentRequests: integer(
    {
      flag: "max-concurrent-requests",
      description: "Requests in work at a time; more are answered 429 at once",
      placeholder: "count",
    },
    { default: 2048, min: 1, max: 1_000_000 },
  ),
  statementTimeoutSeconds: integer(
    {
      flag: "statement-timeout-seconds",
      description: "Longest time one database statement may take; 0 is no limit",
      placeholder: "seconds",
    },
    { default: 60, min: 0, max: 86_400 },
  ),
  requestTimeoutSeconds: integer(
    {
      flag: "request-timeout-seconds",
      description: "Longest time a client may take to send an API request; 0 is no limit",
      placeholder: "seconds",
    },
    { default: 300, min: 0, max: 86_400 },
  ),
  drainTimeoutSeconds: integer(
    {
      flag: "drain-timeout-seconds",
      description: "Longest wait at stop for requests that are still in work",
      placeholder: "seconds",
    },
    { default: 30, min: 0, max: 3600 },
  ),
} satisfies Record<string, Setting<never> | Setting<unknown>>;

export type SettingName = keyof typeof settings;

export type Config = { readonly [K in SettingName]: ReturnType<(typeof settings)[K]["parse"]> };

export const settingNames = Object.keys(settings) as SettingName[];

/** The environment variable of a flag: `data-dir` is `PLINTH_DATA_DIR`. */
export const environmentName = (flag: string): string => `PLINTH_${flag.replaceAll("-", "_").toUpperCase()}`;
