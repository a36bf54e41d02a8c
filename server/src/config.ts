import { isIP } from "node:net";
import { closest } from "fastest-levenshtein";
import { clientVariables } from "./admin-settings.ts";
import { PlinthError } from "./kernel/errors.ts";
import type { Environment, Setting } from "./setting-kinds.ts";
import { contradictionOfSites } from "./site-settings.ts";
import { environmentName, settingNames, settings, type Config, type SettingName } from "./settings.ts";

export type { Setting } from "./setting-kinds.ts";
export { environmentName, settingNames, settings, type Config, type SettingName } from "./settings.ts";

/** Where the value of a setting came from. */
export type Source = "flag" | "environment" | "default";

/** Flags as given on the command line, by flag name; a switch is `true`. */
export type Flags = Readonly<Record<string, string | boolean | undefined>>;

export type Sources = { readonly [K in SettingName]: Source };

/** The settings that the S3 blob store reads and no other. */
const ONLY_S3: readonly SettingName[] = [
  "s3Endpoint",
  "s3Region",
  "s3AccessKeyId",
  "s3SecretAccessKey",
  "s3PathStyle",
];

/**
 * Works out every setting: a flag wins over its environment variable, which wins over the default.
 * Throws a PlinthError for an unknown `PLINTH_*` variable or flag (naming the nearest one), for a bad
 * value, and for values that contradict one another. An empty variable counts as not set.
 */
export function readConfig(flags: Flags, env: Environment): { config: Config; sources: Sources } {
  refuseUnknown(flags, env);
  const config: Record<string, unknown> = {};
  const sources: Record<string, Source> = {};
  for (const name of settingNames) {
    const setting: Setting<unknown> = settings[name];
    const variable = environmentName(setting.flag);
    const flag = flags[setting.flag];
    const fromEnv = isServiceLink(variable, env) ? undefined : env[variable];
    if (flag !== undefined) {
      config[name] = parse(setting, `--${setting.flag}`, String(flag));
      sources[name] = "flag";
    } else if (fromEnv !== undefined && fromEnv !== "") {
      config[name] = parse(setting, variable, fromEnv);
      sources[name] = "environment";
    } else {
      config[name] = setting.default(env);
      sources[name] = "default";
    }
  }
  const result = { config: config as Config, sources: sources as Sources };
  refuseContradictions(result.config, result.sources);
  return result;
}

function parse(setting: Setting<unknown>, where: string, value: string): unknown {
  try {
    return setting.parse(value);
  } catch (error) {
    const shown = setting.secret ? "the value given" : `'${value}'`;
    throw wrong(
      `${where}: ${shown} is not valid: it ${error instanceof Error ? error.message : "is wrong"}.`,
    );
  }
}

function refuseUnknown(flags: Flags, env: Environment): void {
  const all: readonly Setting<unknown>[] = settingNames.map((name) => settings[name]);
  const known = all.filter(({ onlyVariable }) => onlyVariable !== true).map(({ flag }) => flag);
  for (const flag of Object.keys(flags)) {
    if (!known.includes(flag)) throw wrong(`Unknown flag --${flag}; did you mean --${closest(flag, known)}?`);
  }
  const variables = [...all.map(({ flag }) => environmentName(flag)), ...Object.keys(clientVariables)];
  for (const variable of Object.keys(env)) {
    if (!variable.startsWith("PLINTH_") || variables.includes(variable) || isServiceLink(variable, env))
      continue;
    throw wrong(
      `Unknown environment variable ${variable}; did you mean ${closest(variable, variables)}? ` +
        "Unset it, or see `plinth config` for all settings.",
    );
  }
}

/** Kubernetes sets such variables in every pod next to a Service called `plinth` (PLINTH_PORT=tcp://10.0.0.1:5000). */
function isServiceLink(variable: string, env: Environment): boolean {
  if (env["KUBERNETES_SERVICE_HOST"] === undefined) return false;
  return (
    /_SERVICE_(HOST|PORT)|_PORT_\d+_(TCP|UDP)/.test(variable) || /^(tcp|udp):\/\//.test(env[variable] ?? "")
  );
}

function refuseContradictions(config: Config, sources: Sources): void {
  const all = [config.port, config.s3Port, config.grpcPort, config.metricsPort];
  const given = all.filter((value) => value !== undefined && value !== 0);
  if (new Set(given).size < given.length) {
    throw wrong(
      `--port ${config.port}, --s3-port ${config.s3Port}, --grpc-port ${config.grpcPort} ` +
        `${config.metricsPort === undefined ? "" : `and --metrics-port ${config.metricsPort} `}must differ (or be 0).`,
    );
  }
  if (config.insecure && config.login === "required") {
    throw wrong(
      "--insecure lets everybody in, --login required nobody without credentials: give one of them.",
    );
  }
  if (config.adminPassword !== undefined && config.adminPasswordFile !== undefined) {
    throw wrong("PLINTH_ADMIN_PASSWORD and --admin-password-file must not be given together.");
  }
  if (config.workers > 1 && config.databaseUrl === undefined) {
    throw wrong(
      `--workers ${config.workers} needs --database-url: the embedded PostgreSQL serves one process.`,
    );
  }
  if (config.blobStore === "disk") {
    const ignored = ONLY_S3.find((name) => sources[name] !== "default");
    if (ignored !== undefined) {
      throw wrong(
        `--${settings[ignored].flag} has no effect with --blob-store disk; give --blob-store s3://bucket/prefix.`,
      );
    }
  }
  const keys = [config.secretsKey, config.secretsKeyFile, config.secretsKeyCommand];
  if (keys.filter((one) => one !== undefined).length > 1) {
    throw wrong(
      "Of --secrets-key, --secrets-key-file and --secrets-key-command only one can be given: older keys follow the first one in it.",
    );
  }
  const contradiction = contradictionOfSites(config);
  if (contradiction !== undefined) throw wrong(contradiction);
  if ((config.s3AccessKeyId === undefined) !== (config.s3SecretAccessKey === undefined)) {
    throw wrong("--s3-access-key-id and --s3-secret-access-key must be given together.");
  }
}

/** True for addresses that only this machine can reach. */
export function isLoopback(host: string): boolean {
  if (isIP(host) === 4) return host.startsWith("127.");
  return host === "localhost" || host === "::1" || host.endsWith(".localhost");
}

/** Whether requests without credentials are refused. */
export const asksForLogin = ({ login, host, insecure }: Config): boolean =>
  login === "required" || !(isLoopback(host) || insecure);

/** What `plinth config` and logs may show of a value. */
export function shownValue(name: SettingName, value: unknown): string {
  const setting: Setting<unknown> = settings[name];
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return "(none)";
  if (setting.secret) return "(hidden)";
  if (Array.isArray(value)) return value.join(",");
  return typeof value === "string" ? value : JSON.stringify(value);
}

const wrong = (message: string): PlinthError => new PlinthError("invalid_parameter", message);
