import { uses } from "../../kernel/access.ts";
import type { ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";

type Removable = { remove(id: string): Promise<unknown> };

/** Deletes one entity of a project by the id in the path. */
export const removeOne = (
  path: string,
  of: { collection: Removable; get(call: ZenmlCall, action: "edit"): Promise<{ id: string }> },
): ZenmlEndpoint =>
  endpoint({
    method: "DELETE",
    path,
    access: uses("pipeline"),
    async handle(call) {
      const { id } = await of.get(call, "edit");
      await of.collection.remove(id);
      return null;
    },
  });

/** Deletes one entity that belongs to no project, where the caller may change it. */
export const removeShared = (
  { access }: ZenmlContext,
  path: string,
  of: {
    collection: Removable & { readonly label: string };
    get(call: ZenmlCall): Promise<{ id: string; user_id: string | null }>;
  },
): ZenmlEndpoint =>
  endpoint({
    method: "DELETE",
    path,
    access: uses("stack"),
    async handle(call) {
      const row = await of.get(call);
      await access.requireSharedChange(call.request, row, of.collection.label);
      await of.collection.remove(row.id);
      return null;
    },
  });
