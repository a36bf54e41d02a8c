export type PrincipalRow = {
  principal_id: number;
  uuid: string;
  kind: "user" | "service_account";
  name: string;
  full_name: string | null;
  email: string | null;
  description: string | null;
  /** The hash itself is selected only where a password is checked. */
  has_password: boolean;
  password_changed_at: number | null;
  is_admin: boolean;
  is_admin_by_group: boolean;
  active: boolean;
  /** Set while the principal waits for its activation. */
  awaits_activation: boolean;
  external_issuer: string | null;
  external_subject: string | null;
  creation_timestamp: number;
  last_updated_timestamp: number;
};
