/**
 * What a column of the schema `pipelines` holds; with a `?` behind it where nothing may be there.
 * `time` is microseconds since 1970, `json` a text that is JSON already and leaves as it came.
 */
export type ColumnKind =
  | "uuid"
  | "uuids"
  | "text"
  | "texts"
  | "json"
  | "time"
  | "integer"
  | "number"
  | "boolean";
export type ColumnSpec = ColumnKind | `${ColumnKind}?`;
export type Columns = Readonly<Record<string, ColumnSpec>>;

export type Table<C extends Columns = Columns> = {
  /** With its schema. */
  readonly name: string;
  readonly columns: C;
};

export const table = <const C extends Columns>(name: string, columns: C): Table<C> => ({ name, columns });

type Values = {
  uuid: string;
  uuids: string[];
  text: string;
  texts: string[];
  json: string;
  time: number;
  integer: number;
  number: number;
  boolean: boolean;
};

type ValueOf<S extends ColumnSpec> = S extends `${infer K extends ColumnKind}?`
  ? Values[K] | null
  : S extends ColumnKind
    ? Values[S]
    : never;

export type RowOf<T extends Table> = { [N in keyof T["columns"]]: ValueOf<T["columns"][N]> };

/** What is not given is null, or what the database says by default. */
export type NewRow<T extends Table> = {
  [N in keyof T["columns"] as T["columns"][N] extends `${ColumnKind}?` ? never : N]?: ValueOf<
    T["columns"][N]
  >;
} & {
  [N in keyof T["columns"] as T["columns"][N] extends `${ColumnKind}?` ? N : never]?: ValueOf<
    T["columns"][N]
  >;
} & { id: string };

export const kindOf = (spec: ColumnSpec): ColumnKind => spec.replace("?", "") as ColumnKind;

const sqlTypes: Readonly<Record<ColumnKind, string>> = {
  uuid: "uuid",
  uuids: "uuid[]",
  text: "text",
  texts: "text[]",
  json: "text",
  time: "bigint",
  integer: "integer",
  number: "double precision",
  boolean: "boolean",
};

export const sqlTypeOf = (spec: ColumnSpec): string => sqlTypes[kindOf(spec)];
