import { afterAll, describe, expect, it } from "vitest";
import { createOutbound } from "../../../kernel/outbound/outbound.ts";
import { startAzureBlobs } from "../../../../test/services/azure-blobs.ts";
import { readListing } from "./azure-list.ts";
import { openAzureStore, type AzureAccess } from "./azure.ts";
import { parseStorePath } from "./location.ts";
import type { StoredFile } from "./store.ts";

const names = ["1.log", "2 + 2 & <more>.log", "3 ü#?%.log"].map((name) => `store/logs/a/${name}`);
const service = await startAzureBlobs();
for (const name of [...names, "store/logs/ab.log"]) service.put(name, `bytes of ${name}`);
service.folder("store/logs/a/sub", "<Metadata><hdi_isfolder>true</hdi_isfolder></Metadata>");
service.folder("store/logs/a/lake", "<Properties><ResourceType>directory</ResourceType></Properties>");
service.folder("store/logs/a/mark/", "");
const { key } = service;
afterAll(() => service[Symbol.asyncDispose]());

const open = (proof: AzureAccess["proof"] = { key }, address = "az://box/store") =>
  openAzureStore({
    name: "store",
    path: parseStorePath(address),
    outbound: createOutbound({ allowed: ["127.0.0.1"], userAgent: "test" }),
    clock: () => Date.UTC(2026, 10, 22) * 1000,
    access: { endpoint: service.endpoint, proof },
  });
const list = async (uri: string, store = open()): Promise<StoredFile[]> =>
  (await Array.fromAsync(store.list(uri))).flat();

describe("a store of Azure's", () => {
  it("lists a folder page by page, or the one file, and no folders", async () => {
    expect(await list("az://box/store/logs/a")).toStrictEqual(
      names.map((name) => ({ uri: `az://box/${name}`, size: Buffer.byteLength(`bytes of ${name}`) })),
    );
    expect(await list("az://box/store/logs/ab.log")).toStrictEqual([
      { uri: "az://box/store/logs/ab.log", size: 26 },
    ]);
    expect(await list("az://box/store/none")).toStrictEqual([]);
  });

  it("reads parts of files, whatever their names", async () => {
    for (const name of names) {
      expect((await open().read(`az://box/${name}`, 9, 14)).toString()).toBe("store");
    }
    const uri = `az://box/${names[0]}`;
    expect((await open().read(uri, 1000, 1001)).length).toBe(0);
    expect((await open().read(uri, 5, 5)).length).toBe(0);
  });

  it("is asked by a key, a shared access signature or a token", async () => {
    const uri = "az://box/store/logs/ab.log";
    const read = async (proof: AzureAccess["proof"]): Promise<string> =>
      (await open(proof).read(uri, 0, 5)).toString();
    for (const proof of [{ key }, { sas: "sv=2021&sig=a%20signature" }, { token: "a-token" }]) {
      expect(await read(proof)).toBe("bytes");
      expect(await list(uri, open(proof))).toHaveLength(1);
    }
    const wrong = { key: { ...key, key: "b3RoZXI=" } };
    for (const proof of [wrong, { sas: "sig=no" }, { token: "old" }]) {
      await expect(read(proof)).rejects.toMatchObject({
        kind: "refused",
        message: "Artifact store 'store' refuses to be read: AuthenticationFailed.",
      });
    }
  });

  it("may be written with its account in the address", async () => {
    const address = "abfs://box@lab.dfs.core.windows.net/store";
    const [file] = await list(`${address}/logs/ab.log`, open({ key }, address));
    expect(file?.uri).toBe(`${address}/logs/ab.log`);
    await expect(open({ key }, address).read("abfs://box/store/logs/ab.log", 0, 1)).rejects.toMatchObject({
      kind: "outside",
    });
  });

  it("deletes single files", async () => {
    const uri = `az://box/${names[1]}`;
    await open().remove(uri);
    await open().remove(uri);
    expect(service.has(names[1] ?? "")).toBe(false);
    await expect(open({ token: "old" }).remove(uri)).rejects.toMatchObject({ kind: "refused" });
    await expect(open().remove("az://box/store")).rejects.toMatchObject({ kind: "outside" });
  });

  it("says why it cannot be read", async () => {
    const read = (uri: string, address?: string) => open({ key }, address).read(uri, 0, 1);
    await expect(read("az://box/store/none")).rejects.toMatchObject({ kind: "missing" });
    await expect(read("az://box/elsewhere")).rejects.toMatchObject({ kind: "outside" });
    await expect(read("az://none/a", "az://none")).rejects.toMatchObject({
      kind: "refused",
      message: expect.stringContaining("ContainerNotFound") as string,
    });
    for (const failure of [
      { status: 429, code: "" },
      { status: 503, code: "ServerBusy" },
    ]) {
      service.fail(failure);
      await expect(read("az://box/store/x")).rejects.toMatchObject({
        kind: "rate_limited",
        retryAfterSeconds: 3,
      });
    }
    service.fail({ status: 500, code: "InternalError" });
    await expect(list("az://box/store/x")).rejects.toMatchObject({ kind: "unreachable" });
    for (const body of ["", "<html></html>", "<EnumerationResults><Blobs>"]) {
      service.fail({ status: 200, code: "", body });
      await expect(list("az://box/store/x")).rejects.toMatchObject({ kind: "unreachable" });
    }
    service.fail(undefined);
  });
});

describe("a list of blobs", () => {
  const listing = (blob: string) =>
    readListing(`<EnumerationResults><Blobs><Blob>${blob}</Blob></Blobs></EnumerationResults>`);

  it("has names that XML cannot say", () => {
    const size = "<Content-Length>1</Content-Length>";
    expect(listing(`<Name Encoded="true">a%EF%BF%BE&amp;</Name>${size}`)?.blobs[0]?.name).toBe("a\uFFFE&");
    expect(listing(`<Name>a%20b&#233;&quot;&apos;&bogus;</Name>${size}`)?.blobs[0]?.name).toBe(
      "a%20bé\"'&bogus;",
    );
    expect(listing(`<Name Encoded="true">%zz</Name>${size}`)).toBeUndefined();
    for (const wrong of ["x", "-1", "1e99"]) {
      expect(listing(`<Name>a</Name><Content-Length>${wrong}</Content-Length>`)).toBeUndefined();
    }
  });

  it("is read in the time of its length", () => {
    for (const part of ["<Blob>", "<EnumerationResults>", "<NextMarker>", "<Blob><Name>", "&amp"]) {
      const started = performance.now();
      readListing(`<EnumerationResults>${part.repeat(2_000_000 / part.length)}</EnumerationResults>`);
      expect(performance.now() - started, part).toBeLessThan(5000);
    }
  });
});
