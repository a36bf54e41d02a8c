// Runs an embedded PostgreSQL until it is killed; says `ready` and its address when it is.
import { startEmbeddedPostgres } from "../../src/kernel/postgres/embedded.ts";

const postgres = await startEmbeddedPostgres({ dataDir: process.argv[2] ?? "", log: () => undefined });
process.stdout.write(`ready ${JSON.stringify({ pid: postgres.pid, connection: postgres.connection })}\n`);
process.once("SIGTERM", () => void postgres.stop().then(() => process.exit(0)));
setInterval(() => undefined, 60_000);
