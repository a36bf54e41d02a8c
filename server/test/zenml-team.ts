import { startTestServer, type TestServer } from "./harness.ts";
import { person } from "./principals.ts";
import { newWorkspace, withHeaders } from "./workspaces.ts";

/** A server that asks everybody to log in, and people of every role in a project. */
export type ZenmlTeam = Record<"server" | "root" | "editor" | "viewer" | "stranger", TestServer>;

/** The stranger has their role in another project, `elsewhere`. */
export async function startZenmlTeam(
  project: string,
  options: { stranger?: string; flags?: Parameters<typeof startTestServer>[0] } = {},
): Promise<ZenmlTeam> {
  const server = await startTestServer({ login: "required", ...options.flags });
  const root = withHeaders(server, (await person(server, "root", { isAdmin: true })).headers);
  if (project !== "default") await newWorkspace(root, project);
  await newWorkspace(root, "elsewhere");
  const as = async (name: string, workspace: string, role: string): Promise<TestServer> =>
    withHeaders(server, (await person(server, name, { workspace, role })).headers);
  return {
    server,
    root,
    editor: await as("ed", project, "editor"),
    viewer: await as("vi", project, "viewer"),
    stranger: await as("st", "elsewhere", options.stranger ?? "editor"),
  };
}
