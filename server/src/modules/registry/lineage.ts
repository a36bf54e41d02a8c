import type { Database } from "../../kernel/database.ts";
import { notFound } from "../../kernel/errors.ts";
import { decodePageToken, encodePageToken, foreignToken } from "../../kernel/page-token.ts";
import type { Scope } from "../identity/index.ts";
import {
  LAST_KEY,
  placeLength,
  selectLineage,
  selectVersionsOf,
  type LineageOrigin,
  type LineageRow,
  type LinkedVersion,
} from "./lineage.sql.ts";
import { shown, versionNotFound } from "./names.ts";

export type { LineageOrigin } from "./lineage.sql.ts";

/** A version with all it comes from; lists are cut after 1,000, which `truncated` says. */
export type VersionLineage = LineageRow & { truncated: boolean };

export type Lineage = {
  /** From a version to its logged model, run, datasets and experiment. Throws `not_found`. */
  getLineage(
    scope: Scope,
    place: { name: string } & ({ version: number } | { alias: string }),
  ): Promise<VersionLineage>;
  /** From an experiment, a run, a logged model or a dataset to the versions made from it; none of what is unknown. */
  searchVersionsOf(
    scope: Scope,
    origin: LineageOrigin,
    page: { maxResults: number; pageToken: string | undefined },
  ): Promise<{ versions: LinkedVersion[]; nextPageToken: string | undefined }>;
};

const MAX_LINKS = 1000;

export function createLineage({ database }: { database: Database }): Lineage {
  return {
    async getLineage({ workspaceId }, place) {
      const row = await selectLineage(database, { workspaceId, ...place }, MAX_LINKS + 1);
      if (row === undefined) {
        throw "version" in place
          ? versionNotFound(place.name, String(place.version))
          : notFound(`Registered model '${shown(place.name)}' has no alias '${shown(place.alias)}'.`);
      }
      const lists = [row.datasets, row.input_models, row.output_models];
      const truncated = lists.some((list) => list.length > MAX_LINKS);
      for (const list of lists) list.splice(MAX_LINKS);
      return { ...row, truncated };
    },
    async searchVersionsOf({ workspaceId }, origin, { maxResults, pageToken }) {
      const length = placeLength(origin);
      const after =
        pageToken === undefined ? Array.from({ length }, () => LAST_KEY) : readPlace(pageToken, length);
      const found = await selectVersionsOf(database, origin, { workspaceId, after, limit: maxResults + 1 });
      const page = found.slice(0, maxResults);
      const last = found.length > maxResults ? page.at(-1) : undefined;
      return {
        versions: page.map(({ place: _place, ...version }) => version),
        nextPageToken: last === undefined ? undefined : encodePageToken(last.place),
      };
    },
  };
}

function readPlace(token: string, length: number): number[] {
  const place = decodePageToken(token, length);
  const isKey = (part: unknown): part is number =>
    typeof part === "number" && Number.isInteger(part) && part >= 0 && part <= LAST_KEY;
  if (!place.every(isKey)) throw foreignToken();
  return place;
}
