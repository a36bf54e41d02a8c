import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { manages } from "../../kernel/access.ts";
import { invalidParameter } from "../../kernel/errors.ts";
import type { Identity } from "../../modules/identity/index.ts";
import { formToken, readForm, shownNote, type Note } from "./form.ts";
import { attempt, beside } from "./page-requests.ts";
import { escape, sendPage } from "./page.ts";

const config = { access: manages("principal"), protocol: "console" };

/** Where MLflow's documentation sends administrators to make a user, and where its form goes. */
export const SIGN_UP = "/signup";
export const SIGN_UP_FORM = "/api/2.0/mlflow/users/create-ui";

export function registerSignUp(app: FastifyInstance, { principals }: Pick<Identity, "principals">): void {
  const show = (
    request: FastifyRequest,
    reply: FastifyReply,
    { username, note }: { username: string; note?: Note },
  ): FastifyReply => {
    const token = formToken(request, reply);
    return sendPage(reply, {
      title: "New user – Plinth",
      heading: "New user",
      beside: beside(request, reply, request.caller),
      narrow: true,
      body: `<section>${shownNote(note)}<form method="post" action="${SIGN_UP_FORM}">${token}
<label for="username">User name</label>
<input id="username" name="username" type="text" autocomplete="off" autocapitalize="none" spellcheck="false"
 maxlength="255" required value="${escape(username)}">
<label for="password">Password <small>at least 12 characters</small></label>
<input id="password" name="password" type="password" autocomplete="new-password" minlength="12" required>
<button class="wide">Create the user</button></form></section>`,
    });
  };

  app.get(SIGN_UP, { config }, (request, reply) => show(request, reply, { username: "" }));

  app.post(SIGN_UP_FORM, { config }, async (request, reply) => {
    const form = readForm(request);
    const username = form.text("username");
    request.subject = { resourceType: "principal", resourceId: username };
    const tried = await attempt(reply, () => {
      const password = form.text("password");
      if (username === "" || password === "") {
        throw invalidParameter("Username and password cannot be empty.");
      }
      return principals.createPrincipal({ kind: "user", name: username, password });
    });
    if ("note" in tried) return show(request, reply, { username, ...tried });
    const text = `The user '${tried.done.name}' was created. Give it a role, or nothing is to be seen for it.`;
    return show(request, reply, { username: "", note: { kind: "good", text } });
  });
}
