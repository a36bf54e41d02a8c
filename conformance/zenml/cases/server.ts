import { get, post, put, type Scenario } from "../requests.ts";
import { as, login } from "./accounts.ts";

const nobody = { authorization: "Bearer of-nobody" };

/** The server itself: what it says of itself, and what is set. */
export const serverScenarios: readonly Scenario[] = [
  {
    name: "the server",
    steps: [
      get("info", "/info"),
      { ...get("info for nobody", "/info"), headers: nobody },
      get("version", "/version"),
      get("settings", "/settings"),
      get("settings without metadata", "/settings", { hydrate: "false" }),
      { ...get("settings for nobody", "/settings"), headers: nobody },
      put("nothing is changed", "/settings", {}),
      put("a name", "/settings", { server_name: "{unique}" }),
      put("a picture", "/settings", { logo_url: "https://example.org/{unique}.png" }),
      put("announcements", "/settings", { display_announcements: false, display_updates: false }),
      put("statistics for its makers", "/settings", { enable_analytics: true }),
      put("none for them", "/settings", { enable_analytics: false }),
      put("a name that is a number", "/settings", { server_name: 7 }),
      put("a name that is null", "/settings", { server_name: null }),
      put("a long name", "/settings", { server_name: "n".repeat(256) }),
      put("a flag that is none", "/settings", { enable_analytics: "perhaps" }),
      put("a list", "/settings", []),
      get("info after that", "/info"),
      put("as it was", "/settings", {
        server_name: "default",
        logo_url: "",
        display_announcements: true,
        display_updates: true,
      }),
      put("activated once more", "/activate", { admin_username: "{unique}", admin_password: "p" }),
      put("activated without anything", "/activate", {}),
      get("what is set up", "/onboarding_state"),
      get("what it does", "/load-info"),
      get("statistics", "/statistics"),
      get("a path that is none", "/nothing/of/this"),
      put("a method that is none", "/info", {}),
      post("given a user", "/users", {
        name: "{unique}-guest",
        is_admin: false,
        password: "the first pass of {unique}",
      }),
      login("in", "username={unique}-guest&password=the+first+pass+of+{unique}", { token: "access_token" }),
      as("token", get("settings for a guest", "/settings")),
      as("token", put("a guest changes nothing", "/settings", { server_name: "x" })),
      as("token", put("nor nothing", "/settings", {})),
      as("token", get("what is set up, for a guest", "/onboarding_state")),
    ],
  },
];
