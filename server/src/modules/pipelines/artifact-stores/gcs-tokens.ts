import { createHash } from "node:crypto";
import type { Micros } from "../../../kernel/micros.ts";
import type { Outbound } from "../../../kernel/outbound/outbound.ts";
import { type Configuration } from "../connectors/connector.ts";
import { findSpecification } from "../connectors/connector-type.ts";
import { getConnectorType } from "../connectors/connector-types.ts";
import { fetchGcpToken } from "../connectors/gcp-tokens.ts";
import { createTools } from "../connectors/tools.ts";
import type { ConnectorCredentials } from "./connector-credentials.ts";
import { textOf } from "./credentials.ts";
import { StoreError } from "./store.ts";

export type GcsTokens = (
  storeName: string,
  given: {
    connector: Pick<ConnectorCredentials, "configuration"> | undefined;
    secret: Configuration | undefined;
  },
) => Promise<string>;

/** Tokens live for an hour, and are used again for less. */
const KEPT_MICROS = 30 * 60 * 1_000_000;
const MAX_KEPT = 1000;

/**
 * What Google's storage is asked with: what the connector gives, or a token for the service account whose key the
 * authentication secret holds as `token`. Throws a `StoreError`.
 */
export function createGcsTokens({ outbound, clock }: { outbound: Outbound; clock(): Micros }): GcsTokens {
  const tools = createTools({ outbound, clock });
  const kept = new Map<string, { token: string; until: Micros }>();

  const fetchToken = async (name: string, key: string): Promise<string> => {
    const type = getConnectorType("gcp");
    const account = {
      id: null,
      name,
      type,
      method: findSpecification(type, "service-account", undefined).method,
      resourceType: undefined,
      resourceId: undefined,
      expiresAt: null,
      expiresSkewTolerance: null,
      expirationSeconds: null,
      configuration: { service_account_json: key },
    };
    try {
      return (await fetchGcpToken(account, tools)).token;
    } catch (error) {
      throw new StoreError("refused", `The secret of artifact store '${name}' gives no token.`, {
        cause: error,
      });
    }
  };

  return async (name, { connector, secret }) => {
    const given = textOf(connector?.configuration["token"]);
    if (given !== undefined) return given;
    const key = textOf(secret?.["token"]);
    if (connector !== undefined || key === undefined) {
      throw new StoreError(
        "unsupported",
        `Artifact store '${name}' cannot be read by the server: it has no credentials of its own. ` +
          "Give it a service connector, or an authentication secret with the key of a service account.",
      );
    }
    // Whoever has the key may have its token.
    const id = createHash("sha256").update(key).digest("base64");
    const now = clock();
    const found = kept.get(id);
    if (found !== undefined && now < found.until) return found.token;
    const token = await fetchToken(name, key);
    if (kept.size >= MAX_KEPT) kept.clear();
    kept.set(id, { token, until: now + KEPT_MICROS });
    return token;
  };
}
