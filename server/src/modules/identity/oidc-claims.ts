import { permissionDenied } from "../../kernel/errors.ts";

export type Claims = Readonly<Record<string, unknown>>;

/** What the provider says about somebody. */
export type Person = {
  issuer: string;
  subject: string;
  name: string;
  fullName: string | null;
  email: string | null;
  groups: readonly string[];
};

export type ClaimNames = { name: string; groups: string };

/** A claim by its name, dots and all, or by a path that leads into objects. */
export function claimOf(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let value: unknown = claims;
  for (const part of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Claims)[part];
  }
  return value;
}

export function readPerson(claims: Claims, names: ClaimNames): Person {
  const { iss, sub } = claims;
  if (typeof iss !== "string" || typeof sub !== "string" || sub === "") {
    throw permissionDenied("The provider does not say who you are.");
  }
  const email = claims["email_verified"] === true ? textOf(claims["email"]) : null;
  const named = names.name === "email" ? email : textOf(claimOf(claims, names.name));
  return {
    issuer: iss,
    subject: sub,
    name: named ?? email ?? sub,
    fullName: textOf(claims["name"]),
    email,
    groups: readGroups(claimOf(claims, names.groups)),
  };
}

/** What is neither a list of texts nor a text is no group: rights are not guessed. */
function readGroups(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.filter((group) => typeof group === "string") : [];
}

const MAX_TEXT = 1000;

function textOf(value: unknown): string | null {
  if (typeof value !== "string") return null;
  const text = value.trim();
  return text === "" || text.length > MAX_TEXT || /\p{Cc}/u.test(text) || !text.isWellFormed() ? null : text;
}
