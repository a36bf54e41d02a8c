import { openDatabase } from "../../../server/src/kernel/database.ts";
import { reseal } from "../../../server/src/kernel/reseal.ts";
import { openSecrets, sealedColumns } from "../../../server/src/secret-keys.ts";
import { exitCodes, type ExitCode } from "../failure.ts";
import type { Call } from "../program.ts";
import { readConfig } from "../server-door.ts";
import { openConfiguredDatabase } from "./database.ts";

/** Seals all secrets with the first key of the settings, so that the older keys can be taken away. */
export async function rotateSecrets({ flags, output }: Call): Promise<ExitCode> {
  const { config } = readConfig(flags, process.env);
  const secrets = await openSecrets(config, config.databaseUrl === undefined ? "embedded" : "external");
  await using ground = await openConfiguredDatabase(config, output);
  const database = openDatabase({
    connection: ground.connection,
    poolSize: 2,
    statementTimeoutMs: config.statementTimeoutSeconds * 1000,
    onIdleError: () => undefined,
  });
  try {
    const { resealed } = await reseal(database, secrets, sealedColumns);
    output.answer({ resealed }, [
      `Sealed ${resealed} secrets anew. Older keys are needed no more once all processes know the first one.`,
    ]);
    return exitCodes.ok;
  } finally {
    await database.close();
  }
}
