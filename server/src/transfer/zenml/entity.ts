import { isoToMicros } from "../../kernel/micros.ts";

/** An entity as a ZenML server answers it, of any version: what one has in `body` another has in `resources`. */
export type Entity = {
  readonly id: string;
  readonly name?: string;
  readonly body: Part;
  readonly metadata: Part | null;
  readonly resources: Part | null;
};
type Part = Readonly<Record<string, unknown>>;

/** A field, wherever it stands; null where it is nowhere. Newer servers say it in `resources`. */
export function fieldOf(entity: Entity, name: string): unknown {
  for (const part of [entity.resources, entity.metadata, entity.body]) {
    const value = part?.[name];
    if (value !== undefined && value !== null) return value;
  }
  return null;
}

export const textOf = (entity: Entity, name: string): string | null => {
  const value = fieldOf(entity, name);
  return typeof value === "string" ? value : null;
};

export const flagOf = (entity: Entity, name: string): boolean => fieldOf(entity, name) === true;

export const numberOf = (entity: Entity, name: string): number | null => {
  const value: unknown = JSON.parse(JSON.stringify(fieldOf(entity, name)));
  return typeof value === "number" ? value : null;
};

/** Microseconds since 1970. */
export function timeOf(entity: Entity, name: string): number | null {
  const text = textOf(entity, name);
  return text === null ? null : (isoToMicros(text) ?? null);
}

export const jsonOf = (entity: Entity, name: string): string | null => {
  const value = fieldOf(entity, name);
  return value === null ? null : JSON.stringify(value);
};

/** The same where there must be something. */
export const objectJsonOf = (entity: Entity, name: string): string => jsonOf(entity, name) ?? "{}";

/** The id of what is nested under this name. */
export function idOf(entity: Entity, name: string): string | null {
  const value = fieldOf(entity, name);
  return typeof value === "object" && value !== null && "id" in value && typeof value.id === "string"
    ? value.id
    : null;
}

/** Of who made it: since 0.83 in the body, besides in the resources. */
export const userOf = (entity: Entity): string | null => textOf(entity, "user_id") ?? idOf(entity, "user");

export function entitiesOf(entity: Entity, name: string): Entity[] {
  const value = fieldOf(entity, name);
  return Array.isArray(value) ? (value as Entity[]) : [];
}

/** `{name: [entities]}`, as inputs and outputs of steps and components of stacks are told. */
export function namedEntitiesOf(entity: Entity, name: string): [string, Entity[]][] {
  const value = fieldOf(entity, name);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).map(([key, one]) => [key, [one].flat() as Entity[]]);
}

export function recordOf(entity: Entity, name: string): Readonly<Record<string, unknown>> {
  const value = fieldOf(entity, name);
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

export const stampsOf = (entity: Entity): { created: number; updated: number } => {
  const created = timeOf(entity, "created") ?? 0;
  return { created, updated: timeOf(entity, "updated") ?? created };
};
