import type { Difference } from "./differences.ts";

/** Where Plinth answers otherwise than `mlflow server --enable-workspaces` 3.17.2 on purpose. */
export const workspaceDifferences: readonly Difference[] = [
  {
    at: [
      "workspaces: delete > a filled one",
      "workspaces: delete > a filled one, restricted",
      "workspaces: move > to the default one, with a name that is there",
    ],
    reason: "Upstream answers 500, which clients repeat for minutes; what hinders will hinder again.",
    answers: { status: 400, error_code: "INVALID_STATE" },
  },
  {
    at: ["workspaces: create > a root on the server"],
    reason: "Clients never name a path of the server.",
    answers: { status: 400, error_code: "INVALID_PARAMETER_VALUE" },
  },
  {
    at: ["workspaces: create > a root without a scheme"],
    reason: "The message names no path of the server as something to choose.",
    ignore: "message",
  },
  {
    at: ["workspaces: create > a root at another host"],
    reason: "There is no variable that would allow it.",
    ignore: "message",
  },
  {
    at: ["workspaces: create > null fields"],
    reason: "A null is a field that is not there, as in every other request.",
    answers: { status: 201 },
  },
  {
    at: ["workspaces: update > the default one"],
    reason: "Its description is Plinth's own.",
    ignore: "body",
  },
  {
    at: ["workspaces: header > the default one by its name", "workspaces: header > an empty one"],
    reason: "The default workspace is what a server without workspaces is: its artifacts stay at the root.",
    ignore: "body",
  },
  {
    at: ["workspaces: header > does not matter to server-info"],
    reason: "What else a server can do is compared elsewhere.",
    ignore: "body",
  },
  {
    at: ["workspaces: isolation > a place chosen by the client"],
    reason: "Workspaces are always there; the message says what refuses the location.",
    ignore: "message",
  },
  {
    at: ["workspaces: isolation > history"],
    reason: "A run of another workspace is answered as one that is not there, of which the history is empty.",
    answers: { status: 200 },
  },
];
