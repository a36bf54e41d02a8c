import { unauthenticated } from "../../kernel/errors.ts";
import { parseFaithfulJson } from "../../kernel/json-text.ts";
import { createRestClient, RestError, type RestClient } from "../import/rest-client.ts";
import type { Entity } from "./entity.ts";

export type ZenmlCredentials = {
  username?: string | undefined;
  password?: string | undefined;
  apiKey?: string | undefined;
};

type Parameters = Readonly<Record<string, string | number | boolean>>;

/** A server of ZenML, 0.80 or newer, read over its REST API. */
export type ZenmlSource = {
  readonly address: string;
  readonly version: string;
  /** One page after the other, the oldest first: what is made meanwhile comes last. */
  pages(path: string, parameters?: Parameters): AsyncGenerator<{ items: Entity[]; total: number }>;
  get(path: string, parameters?: Parameters): Promise<Entity>;
  /** Whether the server has such an endpoint: older ones call some things otherwise. */
  has(path: string, parameters?: Parameters): Promise<boolean>;
  close(): void;
};

/** Hydrated entities are some kilobytes each; a page is held in memory. */
const PAGE = 200;

export async function openZenmlSource(url: string, credentials: ZenmlCredentials): Promise<ZenmlSource> {
  const address = url.replace(/\/+$/, "");
  let client = await connect(address, credentials);

  const ask = async (path: string, parameters: Parameters): Promise<unknown> => {
    const query = Object.entries(parameters).map(([name, value]) => [name, String(value)] as const);
    const call = { method: "GET", path: `/api/v1${path}`, query } as const;
    try {
      return parseFaithfulJson(Buffer.from(await client.text(call)));
    } catch (error) {
      // A token lives for an hour on some servers, and an import may take longer.
      if (!(error instanceof RestError) || error.status !== 401) throw error;
      client.close();
      client = await connect(address, credentials);
      return parseFaithfulJson(Buffer.from(await client.text(call)));
    }
  };

  const info = (await ask("/info", {})) as { version?: string };
  return {
    address,
    version: info.version ?? "unknown",
    async *pages(path, parameters = {}) {
      for (let page = 1; ; page += 1) {
        const wanted = { hydrate: true, sort_by: "asc:created", size: PAGE, ...parameters, page };
        const found = (await ask(path, wanted)) as { items: Entity[]; total: number; total_pages: number };
        if (found.items.length > 0) yield found;
        if (page >= found.total_pages) return;
      }
    },
    get: async (path, parameters = {}) => (await ask(path, { hydrate: true, ...parameters })) as Entity,
    async has(path, parameters = {}) {
      try {
        await ask(path, { size: 1, ...parameters });
        return true;
      } catch (error) {
        if (error instanceof RestError && (error.status === 404 || error.status === 405)) return false;
        throw error;
      }
    },
    close: () => client.close(),
  };
}

async function connect(url: string, credentials: ZenmlCredentials): Promise<RestClient> {
  const token = await login(url, credentials);
  return createRestClient({ url, ...(token === undefined ? {} : { token }) });
}

/** Undefined where nothing was given: an open server asks for nothing. */
async function login(url: string, credentials: ZenmlCredentials): Promise<string | undefined> {
  const { username, password, apiKey } = credentials;
  const form =
    apiKey !== undefined
      ? { grant_type: "zenml-api-key", password: apiKey }
      : username !== undefined
        ? { grant_type: "password", username, password: password ?? "" }
        : undefined;
  if (form === undefined) return undefined;
  const answer = await fetch(`${url}/api/v1/login`, { method: "POST", body: new URLSearchParams(form) });
  const body: unknown = await answer.json().catch(() => undefined);
  const token =
    typeof body === "object" && body !== null && "access_token" in body ? body.access_token : undefined;
  if (answer.ok && typeof token === "string") return token;
  throw unauthenticated(`${url} does not take these credentials (status ${answer.status}).`);
}
