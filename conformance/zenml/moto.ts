// An S3 server and AWS's token service of somebody else's making.
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { ensureMoto } from "../src/environment.ts";
import { freePort, startChild, waitFor } from "../src/process.ts";

export interface Moto {
  readonly url: string;
  stop(): Promise<unknown>;
}

export async function startMoto(): Promise<Moto> {
  const environment = await ensureMoto();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = startChild(join(environment, "bin", "moto_server"), ["-H", "127.0.0.1", "-p", String(port)]);
  await waitFor(child, "moto_server", async () => {
    try {
      await (await fetch(url)).arrayBuffer();
      return true;
    } catch {
      return undefined;
    }
  });
  return { url, stop: () => child.stop() };
}

/** Starts one for the file. */
export function motoOfThisFile(): () => Moto {
  let moto: Moto | undefined;
  beforeAll(async () => {
    moto = await startMoto();
  });
  afterAll(() => moto?.stop());
  return () => {
    if (!moto) throw new Error("moto is not there yet");
    return moto;
  };
}
