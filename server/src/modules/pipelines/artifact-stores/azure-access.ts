import { createHash } from "node:crypto";
import type { Micros } from "../../../kernel/micros.ts";
import type { Outbound } from "../../../kernel/outbound/outbound.ts";
import { openAzureSession } from "../connectors/azure-session.ts";
import { findSpecification } from "../connectors/connector-type.ts";
import { getConnectorType } from "../connectors/connector-types.ts";
import {
  AuthorizationFailure,
  type Configuration,
  type Connector,
  type Places,
} from "../connectors/connector.ts";
import { createTools } from "../connectors/tools.ts";
import type { AzureAccess } from "./azure.ts";
import type { ConnectorCredentials } from "./connector-credentials.ts";
import { textOf } from "./credentials.ts";
import type { StorePath } from "./location.ts";
import { StoreError } from "./store.ts";

type Given = { connector: ConnectorCredentials | undefined; secret: Configuration | undefined };

/** How the container of a store is asked. Throws a `StoreError`. */
export type AzureAccessOf = (about: { name: string; path: StorePath }, given: Given) => Promise<AzureAccess>;

export type AzureAccessDeps = { outbound: Outbound; clock(): Micros; places?: Places | undefined };

/** Tokens live for about an hour, and are used again for less. */
const KEPT_MICROS = 30 * 60 * 1_000_000;
const MAX_KEPT = 1000;
const ACCOUNT = /^[a-z0-9]{3,24}$/;

/**
 * What the authentication secret holds is read in the order in which ZenML's clients do it: a connection string, then an
 * account's key, a shared access signature, a service principal. Those of the machine that Plinth runs on are never used.
 */
export function createAzureAccess(deps: AzureAccessDeps): AzureAccessOf {
  const tools = createTools(deps);
  const kept = new Map<string, { access: AzureAccess; until: Micros }>();

  const endpointOf = (name: string, account: string | undefined): string => {
    if (account !== undefined && ACCOUNT.test(account)) return tools.places.azure.blob(account);
    throw new StoreError(
      "unsupported",
      `The secret of artifact store '${name}' holds no 'account_name' of a storage account.`,
    );
  };

  /** With a token, and with the account that has the container where that is not said. */
  const withToken = async (
    connector: Connector,
    { name, container, account }: { name: string; container: string; account: string | undefined },
  ): Promise<AzureAccess> => {
    const id = createHash("sha256")
      .update(JSON.stringify([connector.configuration, account, container]))
      .digest("base64");
    const now = deps.clock();
    const found = kept.get(id);
    if (found !== undefined && now < found.until) return found.access;
    try {
      const session = openAzureSession(connector, tools);
      const { token } = await session.storage();
      const from = account ?? (await accountOf(container, session.containers()));
      const access = { endpoint: endpointOf(name, from), proof: { token } };
      if (kept.size >= MAX_KEPT) kept.clear();
      kept.set(id, { access, until: now + KEPT_MICROS });
      return access;
    } catch (error) {
      if (!(error instanceof AuthorizationFailure)) throw error;
      throw new StoreError("refused", `The credentials of artifact store '${name}' give no token.`, {
        cause: error,
      });
    }
  };

  return async ({ name, path }, { connector, secret = {} }) => {
    const container = path.bucket.split("@")[0] ?? "";
    if (connector !== undefined) {
      const account = textOf(connector.configuration["storage_account"]);
      return withToken({ id: null, ...connector.client }, { name, container, account });
    }
    const account = textOf(secret["account_name"]);
    const connection = textOf(secret["connection_string"]);
    if (connection !== undefined) return accessOfConnection(connection, name);
    const key = textOf(secret["account_key"]);
    if (key !== undefined) {
      return { endpoint: endpointOf(name, account), proof: { key: { account: account ?? "", key } } };
    }
    const sas = textOf(secret["sas_token"]);
    if (sas !== undefined) return { endpoint: endpointOf(name, account), proof: { sas: sasOf(sas) } };
    const principal = principalOf(secret);
    if (principal === undefined) {
      throw new StoreError(
        "unsupported",
        `Artifact store '${name}' cannot be read by the server: it has no credentials of its own. Give it a service ` +
          "connector, or an authentication secret with a connection string, an account's key, a shared access " +
          "signature or a service principal.",
      );
    }
    endpointOf(name, account);
    return withToken(principal, { name, container, account });
  };
}

async function accountOf(
  container: string,
  found: AsyncIterable<{ account: string; container: string }>,
): Promise<string> {
  for await (const one of found) if (one.container === container) return one.account;
  throw new AuthorizationFailure(`the '${container}' container was not found or is not accessible`);
}

function principalOf(secret: Configuration): Connector | undefined {
  const { client_id, client_secret, tenant_id } = secret;
  const configuration = { client_id, client_secret, tenant_id };
  if (Object.values(configuration).some((one) => textOf(one) === undefined)) return undefined;
  const type = getConnectorType("azure");
  return {
    id: null,
    name: null,
    type,
    method: findSpecification(type, "service-principal", undefined).method,
    resourceType: undefined,
    resourceId: undefined,
    expiresAt: null,
    expiresSkewTolerance: null,
    expirationSeconds: null,
    configuration,
  };
}

/** `Name=value;Name=value`, as Azure's portal shows it. */
function accessOfConnection(text: string, name: string): AzureAccess {
  const parts = new Map(
    text.split(";").flatMap((part): [string, string][] => {
      const at = part.indexOf("=");
      return at < 1 ? [] : [[part.slice(0, at).trim().toLowerCase(), part.slice(at + 1).trim()]];
    }),
  );
  const account = parts.get("accountname");
  const key = parts.get("accountkey");
  const sas = parts.get("sharedaccesssignature");
  const suffix = parts.get("endpointsuffix") ?? "core.windows.net";
  const scheme = parts.get("defaultendpointsprotocol") ?? "https";
  const own = account === undefined ? undefined : `${scheme}://${account}.blob.${suffix}`;
  const endpoint = (parts.get("blobendpoint") ?? own)?.replace(/\/+$/, "");
  const isPlain = endpoint !== undefined && /^https?:\/\/[^?#]+$/i.test(endpoint) && URL.canParse(endpoint);
  const proof =
    account !== undefined && key !== undefined
      ? { key: { account, key } }
      : sas === undefined
        ? undefined
        : { sas: sasOf(sas) };
  if (isPlain && proof !== undefined) return { endpoint, proof };
  throw new StoreError(
    "unsupported",
    `The connection string of artifact store '${name}' names no account with its key, and no endpoint with a shared ` +
      "access signature.",
  );
}

const sasOf = (text: string): string => text.replace(/^[?&]+/, "");
