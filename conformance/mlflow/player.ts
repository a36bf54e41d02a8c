import { send, type RawResponse } from "../src/http.ts";
import { normalAnswer, parseBody, type Answer } from "./normal-answer.ts";
import { encodeQuery, fill, pick, type Login, type Scenario, type Step, type Variables } from "./scenario.ts";

export interface Played {
  readonly base: string;
  readonly unique: string;
  /** Who asks where a step does not say. */
  readonly login?: Login | undefined;
  /** Keys of numbers that each server counts by itself. */
  readonly ids?: readonly string[] | undefined;
}

/** Sends a scenario's requests in turn to one server. */
export async function play(scenario: Scenario, { base, unique, login, ids = [] }: Played): Promise<Answer[]> {
  const variables: Variables = new Map([["unique", unique]]);
  const answers: Answer[] = [];
  for (const step of scenario.steps) {
    const response = await perform({ login, ...step }, base, variables);
    const body = parseBody(response);
    for (const [name, at] of Object.entries(step.save ?? {})) {
      // A server that fails to answer an id goes on with a value that exists nowhere, so later steps still run.
      variables.set(name, pick(body, at) ?? `missing-${name}`);
    }
    answers.push(
      normalAnswer(response, variables, {
        headers: step.compareHeaders ?? [],
        asSet: step.asSet ?? [],
        ids,
      }),
    );
  }
  return answers;
}

function perform(step: Step, base: string, variables: Variables): Promise<RawResponse> {
  const query = step.query === undefined ? "" : `?${encodeQuery(fill(step.query, variables))}`;
  const body = step.raw ?? (step.json === undefined ? undefined : JSON.stringify(step.json));
  return send({
    base,
    method: step.method,
    path: fill(step.path, variables) + query,
    headers: { ...fill(step.headers ?? {}, variables), ...authorization(step.login, variables) },
    ...(body === undefined ? {} : { body: typeof body === "string" ? fill(body, variables) : body }),
  });
}

function authorization(login: Step["login"], variables: Variables): Record<string, string> {
  if (login === undefined || login === "nobody") return {};
  const [username, password] = fill(login, variables);
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}` };
}
