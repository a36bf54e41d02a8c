import { z } from "zod";

/** Of users and service accounts, which share one space of names. */
export const principalName = z.string().min(1).max(255);

const milliseconds = z.number();
const about = z.string().max(4096).nullable().optional();

/** A user or a service account, as administrators see it. */
export const principal = z.object({
  name: z.string(),
  kind: z.enum(["user", "service_account"]),
  /** MLflow's id, and ZenML's. */
  principal_id: z.int(),
  uuid: z.string(),
  full_name: z.string().nullable(),
  email: z.string().nullable(),
  description: z.string().nullable(),
  /** Administrator of the whole platform. */
  is_admin: z.boolean(),
  active: z.boolean(),
  has_password: z.boolean(),
  /** The identity provider whose user this is; null for Plinth's own. */
  issuer: z.string().nullable(),
  creation_timestamp: milliseconds,
  last_updated_timestamp: milliseconds,
});
export type Principal = z.infer<typeof principal>;

/** `GET /console/api/users`, `/console/api/service-accounts`. */
export const principalsRequest = z.strictObject({
  /** Names that hold this text. */
  contains: z.string().min(1).max(255).optional(),
  max_results: z.coerce.number().int().min(1).max(1000).default(100),
  page_token: z.string().min(1).max(2048).optional(),
});

export const principals = z.object({
  principals: z.array(principal),
  next_page_token: z.string().optional(),
});
export type Principals = z.infer<typeof principals>;

/** `POST /console/api/users`. Without a password the user cannot log in by one. */
export const newUserRequest = z.strictObject({
  name: principalName,
  password: z.string().max(1024).optional(),
  is_admin: z.boolean().default(false),
  full_name: about,
  email: about,
  description: about,
});

/** `POST /console/api/service-accounts`. */
export const newServiceAccountRequest = z.strictObject({
  name: principalName,
  full_name: about,
  description: about,
});

/** `PATCH /console/api/users/:name`: what is not named stays. */
export const userChange = z.strictObject({
  name: principalName.optional(),
  full_name: about,
  email: about,
  description: about,
  is_admin: z.boolean().optional(),
  active: z.boolean().optional(),
});

/** `PATCH /console/api/service-accounts/:name`. */
export const serviceAccountChange = userChange.omit({ email: true, is_admin: true });

/** `POST /console/api/users/:name/password`, by an administrator. */
export const passwordRequest = z.strictObject({ password: z.string().max(1024) });

/** `POST /console/api/me/password`. All sessions, tokens and remembered logins end. */
export const ownPasswordRequest = z.strictObject({
  current_password: z.string().max(1024),
  password: z.string().max(1024),
});

/** `GET /console/api/principals?workspace=...`: whom administrators of a workspace may give roles to. */
export const directoryRequest = principalsRequest.extend({
  workspace: z.string().min(1).max(63).default("default"),
});

export const directory = z.object({
  principals: z.array(principal.pick({ name: true, kind: true, full_name: true, active: true })),
  next_page_token: z.string().optional(),
});
export type Directory = z.infer<typeof directory>;

/** `GET /console/api/me`: who is asking, and what may be done. */
export const me = z.object({
  name: z.string(),
  /** `local`: the administrator of a server that asks nobody to log in. */
  kind: z.enum(["user", "service_account", "local"]),
  uuid: z.string(),
  /** Of the whole platform, with these credentials. */
  is_admin: z.boolean(),
  credential: z.object({
    kind: z.string(),
    id: z.string().nullable(),
    /** What the credentials may at most; null: whatever their principal may. */
    max_permission: z.string().nullable(),
  }),
  address: z.string(),
  /** Whether requests without credentials are refused. */
  login_required: z.boolean(),
  workspaces: z.array(
    z.object({
      name: z.string(),
      /** On what no grant names. */
      permission: z.string(),
      may_create: z.boolean(),
      /** Whether roles of the workspace may be given and taken. */
      is_admin: z.boolean(),
    }),
  ),
});
export type Me = z.infer<typeof me>;

/** `GET /console/api/me/sessions`: logins by browser. */
export const sessions = z.object({
  sessions: z.array(
    z.object({
      session_id: z.string(),
      method: z.string(),
      address: z.string(),
      user_agent: z.string().nullable(),
      creation_timestamp: milliseconds,
      last_used_at: milliseconds,
      expires_at: milliseconds,
      /** Whether it is the one that asks. */
      current: z.boolean(),
    }),
  ),
});
export type Sessions = z.infer<typeof sessions>;
