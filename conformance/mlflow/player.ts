import { send, type RawResponse } from "../src/http.ts";
import { normalAnswer, parseBody, type Answer } from "./normal-answer.ts";
import { encodeQuery, fill, pick, type Scenario, type Step, type Variables } from "./scenario.ts";

/** Sends a scenario's requests in turn to one server. */
export async function play(scenario: Scenario, unique: string, base: string): Promise<Answer[]> {
  const variables: Variables = new Map([["unique", unique]]);
  const answers: Answer[] = [];
  for (const step of scenario.steps) {
    const response = await perform(step, base, variables);
    const body = parseBody(response);
    for (const [name, at] of Object.entries(step.save ?? {})) {
      // A server that fails to answer an id goes on with a value that exists nowhere, so later steps still run.
      variables.set(name, pick(body, at) ?? `missing-${name}`);
    }
    answers.push(
      normalAnswer(response, variables, { headers: step.compareHeaders ?? [], asSet: step.asSet ?? [] }),
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
    ...(step.headers === undefined ? {} : { headers: fill(step.headers, variables) }),
    ...(body === undefined ? {} : { body: typeof body === "string" ? fill(body, variables) : body }),
  });
}
