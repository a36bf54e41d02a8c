import type { Snippet, Workspace } from "./workspace.ts";

export function addTerraform(_workspace: Workspace, _snippets: readonly Snippet[]): void {}
