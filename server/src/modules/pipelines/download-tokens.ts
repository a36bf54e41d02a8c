import type { Secrets } from "../../kernel/secrets.ts";
import type { SecretReader } from "./secrets.ts";

export type Downloadable = "artifact_version" | "snapshot_code";

/**
 * Leave to download one thing for half a minute: a browser that opens an address sends no credentials along. A token is
 * sealed for the thing it is about, and says who asked for it; nobody else can make or change one.
 */
export type DownloadTokens = {
  /** Throws `invalid_state` where the server has no key to seal with. */
  issue(kind: Downloadable, id: string, reader: SecretReader): string;
  /** Undefined for whatever is no token for this, or is so no more. */
  read(token: string, kind: Downloadable, id: string): SecretReader | undefined;
};

const GOOD_FOR_MS = 30_000;

type Sealed = { until: number; user: string | null; local: boolean };

const placeOf = (kind: Downloadable, id: string): string => `pipelines.download:${kind}:${id}`;

export function createDownloadTokens({ secrets, now }: { secrets: Secrets; now(): number }): DownloadTokens {
  return {
    issue(kind, id, { userId, isLocal }) {
      const sealed: Sealed = { until: now() + GOOD_FOR_MS, user: userId, local: isLocal };
      return secrets.seal(JSON.stringify(sealed), placeOf(kind, id));
    },
    read(token, kind, id) {
      let opened: string;
      try {
        opened = secrets.open(token, placeOf(kind, id));
      } catch {
        return undefined;
      }
      const { until, user, local } = JSON.parse(opened) as Sealed;
      return now() < until ? { userId: user, isLocal: local } : undefined;
    },
  };
}
