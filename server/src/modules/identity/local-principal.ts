import type { Principal } from "../../kernel/caller.ts";

/** Who asks an open server without credentials: its administrator, who has no row. */
export const localPrincipal: Principal = {
  principalId: 0,
  uuid: "00000000-0000-0000-0000-000000000000",
  kind: "local",
  name: "local",
  isAdmin: true,
};
