import { existsSync } from "node:fs";
import { join } from "node:path";
import { CommandFailure, exitCodes, type ExitCode } from "../failure.ts";
import type { Output } from "../output.ts";
import type { Call } from "../program.ts";
import { asksForLogin, readConfig, type Config } from "../server-door.ts";
import { serve, type Addresses } from "./serve.ts";

/** Runs everything in this process, with the embedded PostgreSQL as its child, until it is told to stop. */
export async function up({ flags, output }: Call): Promise<ExitCode> {
  const { config } = readConfig(flags, process.env);
  if (config.workers > 1) {
    throw new CommandFailure(
      "`plinth up` runs one process; use `plinth server --workers N`.",
      exitCodes.wrongCall,
    );
  }
  const startedAt = performance.now();
  const first = config.databaseUrl === undefined && !existsSync(join(config.dataDir, "postgres"));
  return serve(config, {
    onStart() {
      if (!first) return;
      output.progress(
        `First start: creating a PostgreSQL database in ${config.dataDir} (a few seconds, once) ...`,
      );
    },
    onReady(addresses) {
      const seconds = (performance.now() - startedAt) / 1000;
      output.answer(
        { state: "ready", addresses, data_dir: config.dataDir },
        welcome(addresses, config, seconds),
      );
    },
  });
}

function welcome(addresses: Addresses, config: Config, seconds: number): string[] {
  const http = addresses["http"] ?? "";
  return [
    `Plinth is ready after ${seconds.toFixed(1)} s.`,
    "",
    ...Object.entries(addresses).map(([name, address]) => `  ${name.padEnd(8)} ${address}`),
    `  data     ${config.dataDir}`,
    `  database ${config.databaseUrl === undefined ? "embedded PostgreSQL" : "PostgreSQL of --database-url"}`,
    "",
    ...(asksForLogin(config) ? withLogin(http) : withoutLogin(http)),
    "",
    "Stop it with Ctrl-C.",
  ];
}

const withoutLogin = (http: string): string[] => [
  "To log from a shell:",
  "",
  `  export MLFLOW_TRACKING_URI=${http}`,
  "",
  "or from Python:",
  "",
  "  import mlflow",
  `  mlflow.set_tracking_uri("${http}")`,
  '  with mlflow.start_run(): mlflow.log_metric("accuracy", 0.97)',
  "",
  "To run ZenML's pipelines against it:",
  "",
  `  zenml login ${http}`,
];

const withLogin = (http: string): string[] => [
  "Everybody logs in: in a browser, or here with",
  "",
  `  plinth login ${http}`,
  "  plinth key create laptop",
  "",
  "To log from a shell, with that key:",
  "",
  `  export MLFLOW_TRACKING_URI=${http}`,
  "  export MLFLOW_TRACKING_TOKEN=plinth_...",
  "",
  "To run ZenML's pipelines against it: in a browser, or with that key where it asks for one",
  "",
  `  zenml login ${http}`,
  `  zenml login ${http} --api-key`,
  "",
  "Others get in once you have made them: plinth user create NAME --generate",
];

/** The same for machines that read logs: one line. */
export function announce(output: Output, addresses: Addresses, workers: number): void {
  const list = Object.entries(addresses).map(([name, address]) => `${name} ${address}`);
  output.answer({ state: "ready", addresses, workers }, [
    `Plinth is ready: ${list.join(", ")} (${workers} ${workers === 1 ? "process" : "processes"}).`,
  ]);
}
