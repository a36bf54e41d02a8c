/** Text with the expressions of a template engine taken out, one for one, so that lines stay where they are. */
export type Mask = { text: string; used: boolean; restore(value: string): string };

/** A word that is plain YAML wherever it stands, and that nobody writes. */
const WORD = "PLINTHx";

/** `{{ x }}` and `${x}`, but not `${{ x }}`, which GitHub reads after YAML; the text of an expression may hold quoted braces, and one level of braces. */
const EXPRESSION =
  /\{\{(?:[^{}\n]|\{[^{}\n]*\}|\}(?!\}))*\}\}|(?<!\$)\$\{(?!\{)(?:[^{}\n"]|"[^"\n]*"|\{[^{}\n]*\})*\}/g;

/** `{% if x %}`, `%{ if x }`, `{{- if x }}`: a line that only steers the engine. */
const STEERING =
  /^[ \t]*(?:\{%.*%\}|\{#.*#\}|%\{[^}]*\}|\{\{-?\s*(?:if|else|end|range|with|define|block|template|include|\/\*|\$\w+\s*:?=)[^\n]*\}\})[ \t]*$/gm;

export function maskTemplates(text: string): Mask {
  if (!(text.includes("{{") || text.includes("{%") || text.includes("${") || text.includes("%{"))) {
    return { text, used: false, restore: (value) => value };
  }
  const expressions: string[] = [];
  const masked = text
    .replaceAll(STEERING, (line) => `${/^[ \t]*/.exec(line)?.[0] ?? ""}#`)
    .replaceAll(/\{%.*?%\}/g, "")
    .replaceAll(EXPRESSION, (expression) => `${WORD}${expressions.push(expression) - 1}x`);
  const restore = (value: string): string =>
    value.includes(WORD)
      ? value.replaceAll(/PLINTHx(\d+)x/g, (word, index: string) => expressions[Number(index)] ?? word)
      : value;
  return { text: masked, used: expressions.length > 0, restore };
}
