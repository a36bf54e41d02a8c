import { readText } from "./principal-names.ts";
import type { PrincipalChange, PrincipalProfile } from "./principals.sql.ts";

/** What a principal is besides its name and its rights. */
export type PrincipalFields = {
  full_name?: string | null;
  email?: string | null;
  description?: string | null;
} & PrincipalProfile;

/** Those that are given, checked. */
export const readTexts = ({ full_name, email, description }: PrincipalFields): PrincipalChange => ({
  ...(full_name === undefined ? {} : { full_name: readText(full_name, "full name") }),
  ...(email === undefined ? {} : { email: readText(email, "e-mail address") }),
  ...(description === undefined ? {} : { description: readText(description, "description") }),
});

export const profileOf = (given: PrincipalFields): PrincipalProfile => ({
  ...(given.user_metadata_json === undefined ? {} : { user_metadata_json: given.user_metadata_json }),
  ...(given.oidc_claims_json === undefined ? {} : { oidc_claims_json: given.oidc_claims_json }),
  ...(given.avatar_url === undefined ? {} : { avatar_url: given.avatar_url }),
  ...(given.email_opted_in === undefined ? {} : { email_opted_in: given.email_opted_in }),
  ...(given.external_user_id === undefined ? {} : { external_user_id: given.external_user_id }),
});
