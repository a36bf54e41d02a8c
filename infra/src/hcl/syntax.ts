/** Syntax tree of HCL 2, the language of Terraform files. Lines count from 1 within the parsed text plus its offset. */

export type HclBody = { attributes: HclAttribute[]; blocks: HclBlock[] };

export type HclAttribute = { name: string; value: HclExpression; line: number };

export type HclBlock = {
  type: string;
  labels: string[];
  body: HclBody;
  line: number;
  endLine: number;
};

export type HclExpression =
  | { kind: "literal"; value: string | number | boolean | null; line: number }
  /** A quoted string or heredoc with `${...}` or `%{...}` in it. `heredoc` has the line its text begins at. */
  | { kind: "template"; parts: (string | HclExpression)[]; heredoc: HeredocPlace | undefined; line: number }
  | { kind: "heredoc"; value: string; heredoc: HeredocPlace; line: number }
  | { kind: "tuple"; items: HclExpression[]; line: number }
  | { kind: "object"; items: { key: HclExpression; value: HclExpression; line: number }[]; line: number }
  /** `a.b[0].c`, `var.x`, `each.value["k"]`; `steps` are names, constant indexes, expressions or `*`. */
  | { kind: "reference"; root: string; steps: HclStep[]; line: number }
  | { kind: "access"; of: HclExpression; steps: HclStep[]; line: number }
  /** `expand` where the last argument is a list that is spread with `...`. */
  | { kind: "call"; name: string; arguments: HclExpression[]; expand?: true; line: number }
  | { kind: "conditional"; condition: HclExpression; yes: HclExpression; no: HclExpression; line: number }
  | { kind: "operation"; operator: string; operands: HclExpression[]; line: number }
  /**
   * A `for` expression; also what depends on its variables, and a directive of a template (`%{ if x }`), which stands
   * among the parts as written. `references` are those to things outside of it.
   */
  | { kind: "for"; text: string; references: HclExpression[]; line: number };

/** A name, a constant index, an expression; `"*"` is a splat. */
export type HclStep = string | number | { index: HclExpression };

export type HeredocPlace = { marker: string; firstLine: number; indented: boolean };

/** Thrown by the parser: the message is close to Terraform's own words. */
export class HclSyntaxError extends Error {
  readonly line: number;
  /** Further mistakes that were seen: arguments set twice do not keep the parser from reading on. */
  readonly others: readonly HclSyntaxError[];
  /** What was read all the same, where everything was. */
  readonly body: HclBody | undefined;
  constructor(message: string, line: number, read?: { others: readonly HclSyntaxError[]; body: HclBody }) {
    super(message);
    this.line = line;
    this.others = read?.others ?? [];
    this.body = read?.body;
  }
}
