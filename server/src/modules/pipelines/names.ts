import { invalidParameter } from "../../kernel/errors.ts";

const FORBIDDEN = /[\t\n\r\v\f]/;

/** Throws `invalid_parameter` for a name that no entity may have; `kind` is such as `Tag`. */
export function requireName(kind: string, name: string): void {
  if (name === "") {
    throw invalidParameter(
      `The class \`${kind}Request\` has no attribute \`name\` or it is set to \`None\`. Cannot validate the name.`,
    );
  }
  if (FORBIDDEN.test(name)) {
    throw invalidParameter(
      `The name \`${name}\` of the \`${kind}\` contains characters that are forbidden: tabs or line breaks.`,
    );
  }
}
