import { unreadableEvents } from "./cases/webhooks.ts";
import type { Difference } from "./differences.ts";

const refused = { status: 400, error_code: "INVALID_PARAMETER_VALUE" } as const;

/** Where webhooks answer otherwise than upstream's on purpose. */
export const webhookDifferences: readonly Difference[] = [
  {
    at: [
      "webhooks: create > a list",
      ...["events", "test calls"].flatMap((scenario) =>
        unreadableEvents.map(([label]) => `webhooks: ${scenario} > ${label}`),
      ),
      "webhooks: events > a number beyond all",
      "webhooks: events > texts",
      "webhooks: test calls > a number for an event",
      "webhooks: test calls > a list for an event",
    ],
    reason: "upstream answers 500 to an event or a body that it cannot read",
    answers: refused,
  },
  {
    at: ["webhooks: events > the same twice"],
    reason: "upstream answers BAD_REQUEST with SQL text; an event listed twice is told of once",
    answers: { status: 200 },
  },
  {
    at: ["webhooks: addresses > half an IPv6 address"],
    reason: "upstream's message goes on with Python's own error",
    ignore: "message",
  },
  {
    at: ["webhooks: addresses > a user and a password", "webhooks: addresses > a port beyond all"],
    reason:
      "upstream takes both; a password in an address is shown to whoever lists webhooks, and there is no such port",
    answers: refused,
  },
  {
    at: ["webhooks: test calls > nobody listens"],
    reason: "upstream's message shows the insides of its HTTP library",
    ignore: "body",
  },
];
