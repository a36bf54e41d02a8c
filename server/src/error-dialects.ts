import type { RenderError } from "./kernel/http.ts";
import { renderConsoleError } from "./protocols/console/errors.ts";
import { renderPageError } from "./protocols/console/page-errors.ts";
import { sendToLogin, wantsLogin } from "./protocols/console/page-requests.ts";
import { isPage } from "./protocols/console/pages.ts";
import { renderMlflowError } from "./protocols/mlflow/errors.ts";
import { renderZenmlError } from "./protocols/zenml/errors.ts";
import { isZenmlUrl } from "./protocols/zenml/index.ts";

/** How an error is told at an address: to people as a page, to clients in the dialect of their protocol. */
export const errorDialectOf =
  (url: string): RenderError =>
  (error, reply) => {
    const { request } = reply;
    // Whoever opens an address that asks for a login is led to the login, whichever protocol the address is of.
    if (error.code === "unauthenticated" && wantsLogin(request)) return sendToLogin(request, reply);
    return dialectOf(url)(error, reply);
  };

function dialectOf(url: string): RenderError {
  if (isPage(url)) return renderPageError;
  if (isZenmlUrl(url)) return renderZenmlError;
  return url.startsWith("/console/") ? renderConsoleError : renderMlflowError;
}
