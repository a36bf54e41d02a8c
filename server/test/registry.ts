import { accepted, API, fresh } from "./runs.ts";
import type { Answer, Json, TestServer } from "./harness.ts";

/** Short words for what most tests of the registry do. */
export const MODELS = `${API}/registered-models`;
export const VERSIONS = `${API}/model-versions`;

export const query = (fields: Record<string, string | string[]>): string => {
  const pairs = Object.entries(fields).flatMap(([key, value]) =>
    [value].flat().map((one): [string, string] => [key, one]),
  );
  return new URLSearchParams(pairs).toString();
};

export async function newModel(server: TestServer, fields: Record<string, unknown> = {}): Promise<string> {
  const answer = await server.post(`${MODELS}/create`, { name: fresh("model"), ...fields });
  return accepted(answer).registered_model.name as string;
}

export const createVersion = (
  server: TestServer,
  name: string,
  fields: Record<string, unknown> = {},
): Promise<Answer> => server.post(`${VERSIONS}/create`, { name, source: "s3://bucket/model", ...fields });

/** Its number, as a text. */
export async function newVersion(
  server: TestServer,
  name: string,
  fields: Record<string, unknown> = {},
): Promise<string> {
  return accepted(await createVersion(server, name, fields)).model_version.version as string;
}

export const getModel = async (server: TestServer, name: string): Promise<Json> =>
  accepted(await server.get(`${MODELS}/get?${query({ name })}`)).registered_model;

export const getVersion = async (server: TestServer, name: string, version: string): Promise<Json> =>
  accepted(await server.get(`${VERSIONS}/get?${query({ name, version })}`)).model_version;
