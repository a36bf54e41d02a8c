import { z } from "zod";

const text = z.string().max(4096).optional();

export const workspace = z.object({
  name: z.string(),
  description: z.string().nullable(),
  default_artifact_root: z.string().nullable(),
  /** All changes and reads of artifacts in it are in the audit log. */
  protected: z.boolean(),
});
export type Workspace = z.infer<typeof workspace>;

/** `GET /console/api/workspaces`: those the caller has a part in. */
export const workspaces = z.object({ workspaces: z.array(workspace) });

/** `POST /console/api/workspaces`. */
export const newWorkspaceRequest = z.strictObject({
  name: z.string().min(1).max(63),
  description: text,
  default_artifact_root: text,
  protected: z.boolean().optional(),
});

/** `PATCH /console/api/workspaces/:workspace`: what is not named stays, the empty text clears. */
export const workspaceChange = newWorkspaceRequest.omit({ name: true });

/** `DELETE /console/api/workspaces/:workspace?mode=...`: what happens to what is in it. */
export const workspaceDeletion = z.strictObject({
  /** Refused when something is in it, moved to the default workspace, or deleted with it. */
  mode: z.enum(["RESTRICT", "SET_DEFAULT", "CASCADE"]).default("RESTRICT"),
});
