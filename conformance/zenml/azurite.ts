// Azure's blob storage as Microsoft's own emulator plays it, in memory.
import { join } from "node:path";
import { ensureAzurite } from "../src/environment.ts";
import { freePort, startChild, waitFor } from "../src/process.ts";

export interface Azurite {
  /** Of the one account that it has, with the key that everybody knows. */
  readonly connection: string;
  stop(): Promise<unknown>;
}

const account = "devstoreaccount1";
const key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

export async function startAzurite(): Promise<Azurite> {
  const folder = await ensureAzurite();
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}/${account}`;
  const program = join(folder, "node_modules", "azurite", "dist", "src", "blob", "main.js");
  const options = ["--inMemoryPersistence", "--silent", "--skipApiVersionCheck", "--disableTelemetry"];
  const args = [program, "--blobHost", "127.0.0.1", "--blobPort", String(port), ...options];
  const child = startChild(process.execPath, args);
  await waitFor(child, "azurite", async () => {
    try {
      await (await fetch(endpoint)).arrayBuffer();
      return true;
    } catch {
      return undefined;
    }
  });
  return {
    connection: `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${key};BlobEndpoint=${endpoint};`,
    stop: () => child.stop(),
  };
}
