import { jsonText, jsonTextOrNull } from "../../kernel/json-text.ts";
import { microsToIso, type Micros } from "../../kernel/micros.ts";

/** What a view needs to know besides its rows. */
export type ViewContext = {
  /** See `ZenmlCall`. */
  readonly isOld: boolean;
  /** ZenML's id of a workspace. */
  projectIdOf(workspaceId: number): string;
};

export type Parts = {
  body: object;
  /** Null where it was not asked for: `hydrate=false`. */
  metadata?: object | null;
  resources?: object | null;
};

/** An entity as ZenML's clients read it. */
export const entity = (row: { id: string; name?: string | null }, parts: Parts): object => ({
  id: row.id,
  ...(row.name === undefined ? {} : { name: row.name }),
  permission_denied: false,
  body: parts.body,
  metadata: parts.metadata ?? null,
  resources: parts.resources ?? null,
});

export type Stamped = { created: Micros; updated: Micros };

export const stamps = ({ created, updated }: Stamped): { created: string; updated: string } => ({
  created: microsToIso(created),
  updated: microsToIso(updated),
});

/** The body of what belongs to no project. */
export const sharedBody = (row: Stamped & { user_id: string | null }): object => ({
  ...stamps(row),
  user_id: row.user_id,
});

export const projectBody = (
  row: Stamped & { user_id: string | null; workspace_id: number },
  context: ViewContext,
): object => ({ ...sharedBody(row), project_id: context.projectIdOf(row.workspace_id) });

export const iso = (micros: Micros | null): string | null => (micros === null ? null : microsToIso(micros));

export { jsonText as json, jsonTextOrNull as jsonOrNull };

/** How clients of 0.84 call the states that came later. */
const oldStatuses: Readonly<Record<string, string>> = {
  provisioning: "initializing",
  queued: "initializing",
  paused: "running",
  resuming: "running",
  cancelling: "stopping",
  skipped: "cached",
  cancelled: "stopped",
};

/** A state of a run or step, in the words of the client. */
export function statusFor(status: string, context: Pick<ViewContext, "isOld">): string;
export function statusFor(status: string | null, context: Pick<ViewContext, "isOld">): string | null;
export function statusFor(status: string | null, { isOld }: Pick<ViewContext, "isOld">): string | null {
  return isOld && status !== null ? (oldStatuses[status] ?? status) : status;
}

/** Types of components that clients of 0.84 do not know: one of them would make the whole answer unreadable. */
export const newComponentTypes: ReadonlySet<string> = new Set(["deployer", "log_store", "sandbox"]);
