export type Json = Record<string, unknown>;

export const getJson = (url: string): Promise<Json> => read(url, {});

export const postJson = (url: string, body: Json): Promise<Json> =>
  read(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

async function read(url: string, init: RequestInit): Promise<Json> {
  const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(60_000) });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}: ${text.slice(0, 500)}`);
  return JSON.parse(text) as Json;
}
