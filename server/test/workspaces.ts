import { expect } from "vitest";
import type { Answer, TestServer } from "./harness.ts";

export const WORKSPACES = "/api/3.0/mlflow/workspaces";

let count = 0;

export async function newWorkspace(server: TestServer, name?: string): Promise<string> {
  const wanted = name ?? `workspace-${(count += 1)}`;
  const answer = await server.post(WORKSPACES, { name: wanted });
  expect([answer.status, answer.text]).toEqual([201, expect.any(String)]);
  return wanted;
}

/** The same server, with these headers on every request. */
export function withHeaders(server: TestServer, more: Readonly<Record<string, string>>): TestServer {
  const call: TestServer["call"] = (method, path, ...[body, headers = {}]): Promise<Answer> =>
    server.call(method, path, body, { ...more, ...headers });
  return {
    ...server,
    call,
    get: (path) => call("GET", path),
    post: (path, body) => call("POST", path, body),
  };
}

/** The same server, with every request in a workspace. */
export const inWorkspace = (server: TestServer, workspace: string): TestServer =>
  withHeaders(server, { "x-mlflow-workspace": workspace });
