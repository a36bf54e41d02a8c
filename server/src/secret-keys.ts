import { join } from "node:path";
import type { Config } from "./config.ts";
import type { SealedColumn } from "./kernel/reseal.ts";
import { createSecrets, readKeys, type Secrets } from "./kernel/secrets.ts";
import { identitySealedColumns } from "./modules/identity/index.ts";
import { pipelinesSealedColumns } from "./modules/pipelines/index.ts";
import { registrySealedColumns } from "./modules/registry/index.ts";

/** The embedded database is one machine's own, and so is its key; several processes must be given theirs. */
export async function openSecrets(config: Config, kind: "embedded" | "external"): Promise<Secrets> {
  const keys = await readKeys({
    key: config.secretsKey,
    keyFile: config.secretsKeyFile,
    keyCommand: config.secretsKeyCommand,
    ownFile: kind === "embedded" ? join(config.dataDir, "secrets.key") : undefined,
  });
  return createSecrets(keys);
}

/** Everything that is stored sealed. */
export const sealedColumns: readonly SealedColumn[] = [
  ...registrySealedColumns,
  ...pipelinesSealedColumns,
  ...identitySealedColumns,
];
