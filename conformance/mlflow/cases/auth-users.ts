import { get, patch, post, postRaw, remove, type Login, type Scenario, type Step } from "../scenario.ts";

const U = "/api/2.0/mlflow/users";

const password = "a password of 23 letters";
const other = "another password of 28 letters";

/** The same request by somebody else. */
export const by = (login: Login | "nobody", step: Step): Step => ({ ...step, login });
export const ann: Login = ["{unique}-ann", password];
export const bob: Login = ["{unique}-bob", password];

export const newUser = (name: string): Step =>
  post(
    `given user ${name}`,
    `${U}/create`,
    { username: `{unique}-${name}`, password },
    {
      [name]: "user.id",
    },
  );

export const authUsers: readonly Scenario[] = [
  {
    name: "users: create",
    steps: [
      post("a user", `${U}/create`, { username: "{unique}-ann", password }),
      get("read back", `${U}/get`, { username: "{unique}-ann" }),
      post("under the other prefix", "/ajax-api/2.0/mlflow/users/create", {
        username: "{unique}-under",
        password,
      }),
      get("read back there", "/ajax-api/2.0/mlflow/users/get", { username: "{unique}-under" }),
      post("a taken name", `${U}/create`, { username: "{unique}-ann", password }),
      post("another case of letters", `${U}/create`, { username: "{unique}-ANN", password }),
      post("a short password", `${U}/create`, { username: "{unique}-x", password: "eleven char" }),
      post("no password", `${U}/create`, { username: "{unique}-x" }),
      post("no name", `${U}/create`, { password }),
      post("an empty name", `${U}/create`, { username: "", password }),
      post("an empty password", `${U}/create`, { username: "{unique}-x", password: "" }),
      post("nothing", `${U}/create`, {}),
      postRaw("no JSON", `${U}/create`, "{"),
      { ...postRaw("another type", `${U}/create`, "username=x"), headers: { "content-type": "text/plain" } },
      post("as administrator at once", `${U}/create`, { username: "{unique}-y", password, is_admin: true }),
      get("which is not heard", `${U}/get`, { username: "{unique}-y" }),
      by(ann, post("by a user", `${U}/create`, { username: "{unique}-z", password })),
      by("nobody", post("by nobody", `${U}/create`, { username: "{unique}-z", password })),
      get("a user that is not there", `${U}/get`, { username: "{unique}-nobody" }),
      get("without a name", `${U}/get`),
    ],
  },
  {
    name: "users: who reads whom",
    steps: [
      newUser("ann"),
      newUser("bob"),
      get("current: the administrator", `${U}/current`),
      by(ann, get("current", `${U}/current`)),
      by(ann, get("current under the other prefix", "/ajax-api/2.0/mlflow/users/current")),
      { ...by("nobody", get("current: nobody", `${U}/current`)), compareHeaders: ["www-authenticate"] },
      by(["{unique}-ann", other], get("current: a wrong password", `${U}/current`)),
      by(["{unique}-nobody", password], get("current: an unknown user", `${U}/current`)),
      by(["{unique}-ann", ""], get("current: an empty password", `${U}/current`)),
      by(ann, get("oneself", `${U}/get`, { username: "{unique}-ann" })),
      by(ann, get("another one", `${U}/get`, { username: "{unique}-bob" })),
      by(ann, get("one that is not there", `${U}/get`, { username: "{unique}-nobody" })),
      by(ann, get("without a name", `${U}/get`)),
      by(ann, get("all, without a part in the workspace", `${U}/list`)),
      by("nobody", get("all, by nobody", `${U}/list`)),
      by(ann, get("own permissions", "/api/3.0/mlflow/users/current/permissions")),
      get("the administrator's permissions", "/api/3.0/mlflow/users/current/permissions"),
      by(ann, get("own roles", "/api/3.0/mlflow/users/roles/list", { username: "{unique}-ann" })),
      by(ann, get("another one's roles", "/api/3.0/mlflow/users/roles/list", { username: "{unique}-bob" })),
      by(ann, get("nobody's roles", "/api/3.0/mlflow/users/roles/list", { username: "{unique}-nobody" })),
      by(
        ann,
        get("another one's permissions", "/api/3.0/mlflow/users/permissions/list", {
          username: "{unique}-bob",
        }),
      ),
      by(
        ann,
        get("own permissions by name", "/api/3.0/mlflow/users/permissions/list", {
          username: "{unique}-ann",
        }),
      ),
      get("permissions of one that is not there", "/api/3.0/mlflow/users/permissions/list", {
        username: "{unique}-nobody",
      }),
      get("roles of one that is not there", "/api/3.0/mlflow/users/roles/list", {
        username: "{unique}-nobody",
      }),
      get("roles without a name", "/api/3.0/mlflow/users/roles/list"),
    ],
  },
  {
    name: "users: passwords",
    steps: [
      newUser("ann"),
      newUser("bob"),
      by(
        ann,
        patch("one's own without the current one", `${U}/update-password`, {
          username: "{unique}-ann",
          password: other,
        }),
      ),
      by(
        ann,
        patch("with a wrong current one", `${U}/update-password`, {
          username: "{unique}-ann",
          password: other,
          current_password: other,
        }),
      ),
      by(
        ann,
        patch("with an empty current one", `${U}/update-password`, {
          username: "{unique}-ann",
          password: other,
          current_password: "",
        }),
      ),
      by(
        ann,
        patch("the same one", `${U}/update-password`, {
          username: "{unique}-ann",
          password,
          current_password: password,
        }),
      ),
      by(
        ann,
        patch("a short one", `${U}/update-password`, {
          username: "{unique}-ann",
          password: "short",
          current_password: password,
        }),
      ),
      by(
        ann,
        patch("no new one", `${U}/update-password`, {
          username: "{unique}-ann",
          current_password: password,
        }),
      ),
      by(
        ann,
        patch("another one's", `${U}/update-password`, {
          username: "{unique}-bob",
          password: other,
          current_password: password,
        }),
      ),
      by(ann, patch("without a name", `${U}/update-password`, { password: other })),
      by(
        ann,
        patch("one's own", `${U}/update-password`, {
          username: "{unique}-ann",
          password: other,
          current_password: password,
        }),
      ),
      by(ann, get("the old one is of no use", `${U}/current`)),
      by(["{unique}-ann", other], get("the new one is", `${U}/current`)),
      patch("by an administrator", `${U}/update-password`, { username: "{unique}-bob", password: other }),
      by(bob, get("that one's old one is of no use", `${U}/current`)),
      by(["{unique}-bob", other], get("that one's new one is", `${U}/current`)),
      patch("a short one by an administrator", `${U}/update-password`, {
        username: "{unique}-bob",
        password: "short",
      }),
      patch("of one that is not there", `${U}/update-password`, {
        username: "{unique}-nobody",
        password: other,
      }),
      patch("the administrator's own without the current one", `${U}/update-password`, {
        username: "admin",
        password: other,
      }),
    ],
  },
  {
    name: "users: administrators and deletion",
    steps: [
      newUser("ann"),
      newUser("bob"),
      by(
        ann,
        patch("by a user, of oneself", `${U}/update-admin`, { username: "{unique}-ann", is_admin: true }),
      ),
      by(ann, remove("delete by a user", `${U}/delete`, { username: "{unique}-bob" })),
      by(ann, remove("delete oneself", `${U}/delete`, { username: "{unique}-ann" })),
      patch("make an administrator", `${U}/update-admin`, { username: "{unique}-ann", is_admin: true }),
      by(ann, get("who is one at once", `${U}/current`)),
      by(ann, get("and reads others", `${U}/get`, { username: "{unique}-bob" })),
      patch("without the flag", `${U}/update-admin`, { username: "{unique}-ann" }),
      patch("of one that is not there", `${U}/update-admin`, {
        username: "{unique}-nobody",
        is_admin: true,
      }),
      by(ann, remove("delete oneself as administrator", `${U}/delete`, { username: "{unique}-ann" })),
      by(ann, remove("delete another one", `${U}/delete`, { username: "{unique}-bob" })),
      by(bob, get("who is nobody at once", `${U}/current`)),
      get("and is not found", `${U}/get`, { username: "{unique}-bob" }),
      remove("delete once more", `${U}/delete`, { username: "{unique}-bob" }),
      remove("delete without a name", `${U}/delete`, {}),
      { ...remove("delete by a query", `${U}/delete`, {}), json: undefined, headers: {} },
      patch("take it away", `${U}/update-admin`, { username: "{unique}-ann", is_admin: false }),
      by(ann, get("who is none at once", `${U}/get`, { username: "admin" })),
    ],
  },
];
