import { z } from "zod";

/** What every refused request to Plinth's own API is answered with; `code` is one of a closed set. */
export const consoleError = z.object({ error: z.object({ code: z.string(), message: z.string() }) });
