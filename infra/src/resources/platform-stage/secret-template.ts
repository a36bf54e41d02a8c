import { escapeTemplate, Expression, ref } from "../resource.ts";

const PLACEHOLDER = /\{\{ \.(\w+)( \| urlquery)? \}\}/g;

/** A template of a Secret's key as HCL, its placeholders as what `valueOf` gives for them. */
export function secretExpression(
  template: string,
  valueOf: (input: string) => Expression,
): Expression | string {
  const parts: string[] = [];
  let from = 0;
  for (const match of template.matchAll(PLACEHOLDER)) {
    const [whole, input = "", encoded] = match;
    const { text } = valueOf(input);
    const value = encoded === undefined ? text : `urlencode(${text})`;
    if (whole === template) return ref(value);
    parts.push(escapeTemplate(template.slice(from, match.index)), `\${${value}}`);
    from = match.index + whole.length;
  }
  if (parts.length === 0) return template;
  parts.push(escapeTemplate(template.slice(from)));
  return new Expression(`"${parts.join("")}"`);
}
