import type { Exposure } from "../spec/components.ts";
import type { Environment } from "../spec/platform.ts";
import type { SpecRule } from "./check.ts";

/** Rules on who reaches what from outside. */

type Exposed = { path: readonly string[]; component: string; exposure: Exposure };

function exposedOf({ tracking, pipelines, serving }: Environment): Exposed[] {
  const all: Exposed[] = [
    {
      path: ["tracking", "exposure"],
      component: `tracking (${tracking.engine})`,
      exposure: tracking.exposure,
    },
  ];
  if (pipelines.engine !== "none") {
    all.push({ path: ["pipelines", "exposure"], component: "ZenML", exposure: pipelines.exposure });
  }
  if (serving.engine === "kserve") {
    all.push({ path: ["serving", "exposure"], component: "the models", exposure: serving.exposure });
  }
  return all;
}

const publicWithoutLogin: SpecRule = {
  id: "tracking/public-without-login",
  severity: "error",
  covers: ["E31"],
  title: "Tracking open to everybody",
  why: "MLflow's server has no login: whoever reaches it reads, changes and deletes every experiment and model.",
  check: ({ tracking }) =>
    tracking.engine !== "mlflow" || tracking.exposure.kind !== "public"
      ? []
      : [
          {
            path: ["tracking", "exposure", "kind"],
            message: `tracking by ${tracking.engine} has no login of its own, and everybody would reach it at its host`,
            remedy:
              'Use engine: "plinth", which has users of its own, or ask for a login at the gateway (exposure: { kind: "gateway-login", users: { secret: "..." } }), or let in networks that you know ({ kind: "networks", cidrs: [...] }).',
          },
        ],
};

const twoLogins: SpecRule = {
  id: "tracking/two-logins",
  severity: "error",
  covers: [],
  title: "Two logins in one header",
  why: "Clients of MLflow send one user name and password, in the header that the gateway's login reads: Plinth, which has users of its own, would refuse those of the gateway.",
  check: ({ tracking }) =>
    tracking.engine !== "plinth" || tracking.exposure.kind !== "gateway-login"
      ? []
      : [
          {
            path: ["tracking", "exposure", "kind"],
            message:
              "tracking by plinth asks for a login itself, and the gateway's login would stand in its way",
            remedy:
              'Let everybody reach Plinth\'s own login (exposure: { kind: "public" }), or only networks that you know ({ kind: "networks", cidrs: [...] }).',
          },
        ],
};

const publicModels: SpecRule = {
  id: "serving/public-without-login",
  severity: "warning",
  covers: [],
  title: "Models open to everybody",
  why: "KServe asks nobody who they are: whoever finds the host uses the models, and their accelerators.",
  check: ({ serving }) =>
    serving.engine !== "kserve" || serving.exposure.kind !== "public" || serving.models.length === 0
      ? []
      : [
          {
            path: ["serving", "exposure", "kind"],
            message: `everybody can use ${serving.models.map(({ name }) => name).join(", ")}: KServe has no login`,
            remedy:
              'Use exposure { kind: "gateway-login" } or { kind: "networks" }; leave it when the models are meant for the public and the cost of their use is limited elsewhere.',
          },
        ],
};

const withoutActivation: SpecRule = {
  id: "zenml/reachable-without-activation",
  severity: "error",
  covers: ["E04"],
  title: "ZenML reachable from outside without its first administrator",
  why: "A new server belongs to whoever activates it, which needs no login.",
  check: ({ pipelines }) =>
    pipelines.engine !== "zenml" ||
    pipelines.exposure.kind === "cluster" ||
    pipelines.activation !== undefined
      ? []
      : [
          {
            path: ["pipelines", "activation"],
            message: `ZenML is reached from outside (${pipelines.exposure.kind}) and not activated: the first visitor becomes its administrator`,
            remedy:
              'Let it activate itself: activation: { user: "admin", password: { secret: "zenml-admin" } }, or keep it within the cluster (exposure: { kind: "cluster" }).',
          },
        ],
};

const accessControl: SpecRule = {
  id: "gateway/no-access-control",
  severity: "error",
  covers: ["E31"],
  title: "A route limited by a gateway that cannot limit it",
  why: "Logins and networks of a route are policies of Envoy Gateway. The other gateways have no such thing, and the route would be open to everybody.",
  check: (environment) => {
    const { engine } = environment.gateway;
    if (engine === "envoy-gateway") return [];
    return exposedOf(environment)
      .filter(({ exposure }) => exposure.kind === "gateway-login" || exposure.kind === "networks")
      .map(({ path, component, exposure }) => ({
        path: [...path, "kind"],
        message: `${component} is to be reached by ${exposure.kind}, which the gateway "${engine}" cannot ask for`,
        remedy:
          'Set gateway.engine: "envoy-gateway", or keep it within the cluster (exposure: { kind: "cluster" }) and reach it by port-forward.',
      }));
  },
};

const knativeRoutes: SpecRule = {
  id: "knative/no-route",
  severity: "error",
  covers: [],
  title: "Models in Knative mode reached from outside",
  why: "Knative routes by host names of its own behind its own ingress; the platform's gateway has routes for models in Standard mode only.",
  check: ({ serving }) =>
    serving.engine !== "kserve" || serving.mode !== "knative" || serving.exposure.kind === "cluster"
      ? []
      : [
          {
            path: ["serving", "exposure", "kind"],
            message: `models in Knative mode get no route at the gateway, and the exposure is "${serving.exposure.kind}"`,
            remedy:
              'Set serving.mode: "standard", or keep the models within the cluster (exposure: { kind: "cluster" }).',
          },
        ],
};

export const exposureRules: readonly SpecRule[] = [
  publicWithoutLogin,
  twoLogins,
  publicModels,
  withoutActivation,
  accessControl,
  knativeRoutes,
];
