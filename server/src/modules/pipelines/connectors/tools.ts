import type { Micros } from "../../../kernel/micros.ts";
import type { Outbound } from "../../../kernel/outbound/outbound.ts";
import { publicPlaces, type Places, type Tools } from "./connector.ts";
import { createHttp } from "./http.ts";
import { createSsh } from "./ssh.ts";

export type ToolsDeps = { outbound: Outbound; clock(): Micros; places?: Places | undefined };

/** What drivers reach the world with: all of it through the guarded client. */
export const createTools = ({ outbound, clock, places = publicPlaces }: ToolsDeps): Tools => ({
  http: createHttp(outbound),
  ssh: createSsh({ outbound, port: places.sshPort }),
  now: clock,
  places,
});
