import { startTestServer, type TestServer } from "./harness.ts";
import { person } from "./principals.ts";
import { newWorkspace, withHeaders } from "./workspaces.ts";

/** A server that asks everybody to log in, and people of every role in a project. */
export type ZenmlTeam = Record<"server" | "root" | "editor" | "viewer" | "stranger", TestServer> & {
  /** ZenML's ids of people. */
  ids: Record<"editor" | "stranger", string>;
  /** One more of them. */
  as(name: string, about?: Parameters<typeof person>[2]): Promise<TestServer>;
};

/** The stranger has their role in another project, `elsewhere`. */
export async function startZenmlTeam(
  project: string,
  options: { stranger?: string; flags?: Parameters<typeof startTestServer>[0] } = {},
): Promise<ZenmlTeam> {
  const server = await startTestServer({ login: "required", ...options.flags });
  const as: ZenmlTeam["as"] = async (name, about) =>
    withHeaders(server, (await person(server, name, about)).headers);
  const root = await as("root", { isAdmin: true });
  if (project !== "default") await newWorkspace(root, project);
  await newWorkspace(root, "elsewhere");
  const editor = await person(server, "ed", { workspace: project, role: "editor" });
  const viewer = await as("vi", { workspace: project, role: "viewer" });
  const stranger = await person(server, "st", { workspace: "elsewhere", role: options.stranger ?? "editor" });
  return {
    server,
    root,
    editor: withHeaders(server, editor.headers),
    viewer,
    stranger: withHeaders(server, stranger.headers),
    ids: { editor: editor.row.uuid, stranger: stranger.row.uuid },
    as,
  };
}
