import { afterAll, describe, expect, it } from "vitest";
import { createOutbound } from "../../../kernel/outbound/outbound.ts";
import { startAzure, subscription, tenant } from "../../../../test/services/azure.ts";
import { connectorOf, toolsFor } from "../../../../test/services/connectors.ts";
import { publicPlaces } from "../connectors/connector.ts";
import { connectorClient } from "../connectors/verification.ts";
import { createAzureAccess } from "./azure-access.ts";
import type { AzureAccess } from "./azure.ts";
import { parseStorePath } from "./location.ts";

const azure = await startAzure();
afterAll(() => azure[Symbol.asyncDispose]());

const places = {
  ...publicPlaces,
  azure: {
    login: azure.url,
    management: azure.url,
    blob: (account: string) => `${azure.url}/blob/${account}`,
  },
};
let now = 0;
const outbound = createOutbound({ allowed: ["127.0.0.1"], userAgent: "test" });
const accessOf = createAzureAccess({ outbound, clock: () => now, places });
const about = { name: "one", path: parseStorePath("az://models/zenml") };
const bySecret = (secret: Record<string, unknown> | undefined): Promise<AzureAccess> =>
  accessOf(about, { connector: undefined, secret });

const principal = {
  account_name: "store",
  client_id: "11111111-0000-0000-0000-000000000000",
  client_secret: "principal-secret",
  tenant_id: tenant,
};

describe("how Azure's storage is asked", () => {
  it("stands in a connection string", async () => {
    const key = "a2V5PT0=";
    const proof = { key: { account: "lab", key } };
    const keyed = `AccountName=lab;AccountKey=${key}`;
    const endpoints = {
      [`DefaultEndpointsProtocol=https;${keyed};EndpointSuffix=core.windows.net`]:
        "https://lab.blob.core.windows.net",
      [`${keyed};EndpointSuffix=core.chinacloudapi.cn;`]: "https://lab.blob.core.chinacloudapi.cn",
      [`${keyed};BlobEndpoint=http://127.0.0.1:10000/lab/`]: "http://127.0.0.1:10000/lab",
    };
    for (const [text, endpoint] of Object.entries(endpoints)) {
      expect(await bySecret({ connection_string: text, account_key: "x" })).toStrictEqual({
        endpoint,
        proof,
      });
    }
    expect(
      await bySecret({
        connection_string:
          "BlobEndpoint=https://lab.blob.core.windows.net/;SharedAccessSignature=?sv=1&sig=a%3D",
      }),
    ).toStrictEqual({ endpoint: "https://lab.blob.core.windows.net", proof: { sas: "sv=1&sig=a%3D" } });
    for (const text of [
      "nothing",
      "AccountName=lab",
      "UseDevelopmentStorage=true",
      `${keyed};BlobEndpoint=ftp://x`,
      `AccountKey=${key};BlobEndpoint=https://x`,
    ]) {
      await expect(bySecret({ connection_string: text })).rejects.toMatchObject({ kind: "unsupported" });
    }
  });

  it("stands in a secret: a key goes before a signature", async () => {
    const endpoint = places.azure.blob("lab");
    const both = { account_name: "lab", account_key: "a2V5", sas_token: "?sv=1&sig=2" };
    expect(await bySecret(both)).toStrictEqual({
      endpoint,
      proof: { key: { account: "lab", key: "a2V5" } },
    });
    expect(await bySecret({ ...both, account_key: undefined })).toStrictEqual({
      endpoint,
      proof: { sas: "sv=1&sig=2" },
    });
    for (const account_name of [undefined, "", "elsewhere.example.org/#", "UPPER"]) {
      await expect(bySecret({ ...both, account_name })).rejects.toMatchObject({
        kind: "unsupported",
        message: expect.stringContaining("no 'account_name'") as string,
      });
    }
  });

  it("is never what the server itself has", async () => {
    const { client_secret: _, ...partly } = principal;
    for (const secret of [undefined, {}, { account_name: "lab" }, partly]) {
      await expect(bySecret(secret)).rejects.toMatchObject({
        kind: "unsupported",
        message: expect.stringContaining("no credentials of its own") as string,
      });
    }
  });

  it("is a token of a service principal, asked for once in a while", async () => {
    const asked = azure.asked.length;
    const access = { endpoint: places.azure.blob("store"), proof: { token: "storage-token" } };
    expect(await bySecret(principal)).toStrictEqual(access);
    expect(await bySecret(principal)).toStrictEqual(access);
    expect(azure.asked.length - asked).toBe(1);
    now += 31 * 60 * 1_000_000;
    await bySecret(principal);
    expect(azure.asked.length - asked).toBe(2);
    await expect(bySecret({ ...principal, client_secret: "wrong" })).rejects.toMatchObject({
      kind: "refused",
      message: "The credentials of artifact store 'one' give no token.",
    });
  });

  it("is a token of a connector, for the account that has the container", async () => {
    const { account_name: account, ...own } = principal;
    const configuration = { ...own, subscription_id: subscription };
    const tools = toolsFor(places);
    for (const more of [{}, { storage_account: account }]) {
      const connector = connectorOf({
        type: "azure",
        method: "service-principal",
        configuration: { ...configuration, ...more },
      });
      const client = await connectorClient(connector, tools, {
        resourceType: "blob-container",
        resourceId: "az://models",
      });
      const given = { type: "azure", configuration: client.configuration, client };
      expect(await accessOf(about, { connector: given, secret: { sas_token: "unused" } })).toStrictEqual({
        endpoint: places.azure.blob("store"),
        proof: { token: "storage-token" },
      });
      const elsewhere = { name: "one", path: parseStorePath("abfs://others") };
      if (Object.keys(more).length === 0) {
        await expect(accessOf(elsewhere, { connector: given, secret: undefined })).rejects.toMatchObject({
          kind: "refused",
        });
      }
    }
  });
});
