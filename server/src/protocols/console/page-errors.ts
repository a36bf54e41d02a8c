import type { FastifyReply } from "fastify";
import type { PlinthError } from "../../kernel/errors.ts";
import { isFromScript } from "../../kernel/navigation.ts";
import { statuses } from "./errors.ts";
import { HOME } from "./next-path.ts";
import { escape, sendPage } from "./page.ts";

/** Errors of pages that people open. */
export function renderPageError(error: PlinthError, reply: FastifyReply): FastifyReply {
  if (error.retryAfterSeconds !== undefined) reply.header("retry-after", String(error.retryAfterSeconds));
  // Other programs than browsers may ask for pages, too (RFC 9110, 11.6.1).
  if (error.code === "unauthenticated" && !isFromScript(reply.request)) {
    reply.header("www-authenticate", 'Basic realm="mlflow"');
  }
  const status = statuses[error.code];
  return sendPage(reply.code(status), {
    title: `${headings[status] ?? "Something went wrong"} – Plinth`,
    heading: headings[status] ?? "Something went wrong",
    narrow: true,
    body: `<section><p class="note bad" role="alert">${escape(error.message)}</p>
<p><a href="${HOME}">Go to the first page</a></p></section>`,
  });
}

const headings: Readonly<Record<number, string>> = {
  400: "This did not work",
  401: "Log in first",
  403: "Not allowed",
  404: "Not found",
  405: "Not found",
  409: "This did not work",
  413: "This did not work",
  429: "Too many attempts",
  503: "Not available right now",
};
