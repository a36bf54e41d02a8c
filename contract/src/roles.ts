import { z } from "zod";

const milliseconds = z.number();

export const permission = z.enum(["READ", "USE", "EDIT", "MANAGE", "NO_PERMISSIONS", "DENY"]);

export const roleName = z.string().min(1).max(255);

/** In paths, `-` stands for the whole platform. */
export const PLATFORM = "-";

export const role = z.object({
  /** Null: a role of the whole platform. */
  workspace: z.string().nullable(),
  name: z.string(),
  description: z.string().nullable(),
  /** Builtin roles cannot be changed. */
  kind: z.enum(["builtin", "custom", "personal"]),
  creation_timestamp: milliseconds,
  last_updated_timestamp: milliseconds,
});
export type Role = z.infer<typeof role>;

/** `GET /console/api/roles?workspace=...` */
export const rolesRequest = z.strictObject({ workspace: z.string().min(1).max(63).default("default") });
export const roles = z.object({ roles: z.array(role) });

/** `POST /console/api/roles`. */
export const newRoleRequest = z.strictObject({
  workspace: z.string().min(1).max(63).default("default"),
  name: roleName,
  description: z.string().max(4096).optional(),
});

/** `PATCH /console/api/roles/:workspace/:role`. */
export const roleChange = z.strictObject({
  name: roleName.optional(),
  description: z.string().max(4096).optional(),
});

export const grant = z.object({
  /** Such as `experiment`, `registered_model`, `bucket`, `workspace`. */
  resource_type: z.string(),
  /** The id of one resource (a name for models), `*` for all; of a bucket also `bucket/prefix`. */
  pattern: z.string(),
  permission,
});
export type Grant = z.infer<typeof grant>;

/** `GET .../:role/grants`. */
export const grants = z.object({ grants: z.array(grant) });

/** `PUT .../:role/grants`: in place of an earlier one on the same. */
export const grantRequest = z.strictObject({
  resource_type: z.string().min(1).max(64),
  pattern: z.string().min(1).max(1024),
  permission,
});

/** `DELETE .../:role/grants?resource_type=...&pattern=...` */
export const grantPlace = grantRequest.omit({ permission: true });

/** `GET .../:role/assignments`: who has the role, by name. */
export const assignmentsRequest = z.strictObject({
  max_results: z.coerce.number().int().min(1).max(1000).default(100),
  page_token: z.string().min(1).max(2048).optional(),
});

export const assignments = z.object({
  assignments: z.array(
    z.object({
      principal: z.string(),
      kind: z.enum(["user", "service_account"]),
      /** `group`: by a group of the identity provider, set anew at each login. */
      source: z.enum(["manual", "group"]),
    }),
  ),
  next_page_token: z.string().optional(),
});
export type Assignments = z.infer<typeof assignments>;

/** `GET /console/api/roles/:workspace/:role`. */
export const roleDetail = role.extend({ grants: z.array(grant) });
export type RoleDetail = z.infer<typeof roleDetail>;
