import { invalidParameter } from "../../kernel/errors.ts";

const FORBIDDEN = /[\t\n\r\v\f]/;

/** Names of what belongs to users: anything in one line. Throws `invalid_parameter`. */
export function checkName(name: string, label: string): void {
  if (name === "") throw invalidParameter(`The name of a ${label} is empty: give it one.`);
  if (FORBIDDEN.test(name)) {
    throw invalidParameter(
      `The name ${JSON.stringify(name)} of a ${label} holds a tab or a line break: take them out.`,
    );
  }
}
