import { namespaces } from "../../names.ts";
import type { Plan } from "../../plan.ts";
import type { PlatformPart } from "./application.ts";
import type { Part, Workload } from "./part.ts";
import { partsOf } from "./parts.ts";
import * as values from "./platform-charts.ts";
import { databaseOperators, needsBarman, servingParts } from "./platform-operators.ts";
import { chart, folder, part, reason, upstream } from "./platform-part.ts";
import * as pods from "./platform-workloads.ts";
import { routesOf } from "./routes.ts";

/** What the platform itself consists of: the operators and controllers that the components need, and their settings. */
export function platformParts(plan: Plan): PlatformPart[] {
  return [
    ...foundation(plan),
    ...secretParts(plan),
    ...gatewayParts(plan),
    ...databaseOperators(plan),
    ...servingParts(plan),
    ...policyParts(plan),
    ...monitoringParts(plan),
  ];
}

function foundation(plan: Plan): PlatformPart[] {
  const always = reason(
    "gitOps.repository",
    "Argo CD brings the platform, each part in a namespace of its own",
  );
  return [
    part({
      name: "namespaces",
      title: "Namespaces with their pod security, defaults and limits",
      namespace: namespaces.argoCd,
      after: [],
      sources: [folder(plan, "namespaces")],
      because: [always],
      // A namespace takes all that is in it along, volumes too.
      keep: true,
    }),
    part({
      name: "network-policies",
      title: "Who may talk to whom",
      namespace: namespaces.argoCd,
      sources: [folder(plan, "network-policies")],
      because: [
        reason("tracking.engine", "what each part talks to follows from its engine; the rest is denied"),
      ],
      workloads: [pods.argoCdWorkload()],
    }),
    ...(needsCertManager(plan)
      ? [
          part({
            name: "cert-manager",
            title: "Certificates, for visitors and for webhooks",
            namespace: namespaces.certManager,
            after: ["namespaces", "network-policies", "gateway-api-crds"],
            sources: [chart("cert-manager", { values: values.certManagerValues(plan, hasRoutes(plan)) })],
            because: [
              hasRoutes(plan)
                ? reason("gateway.issuer", "certificates of Let's Encrypt")
                : reason("serving.engine", "certificates of webhooks and plugins"),
            ],
            serverSide: true,
            workloads: [pods.certManagerWorkload(plan)],
          }),
        ]
      : []),
  ];
}

/** Whether anything is reached from outside of the cluster. */
export const hasRoutes = (plan: Plan): boolean => routesOf(plan).length > 0;

const needsCertManager = (plan: Plan): boolean =>
  hasRoutes(plan) || plan.environment.serving.engine === "kserve" || needsBarman(plan);

function secretParts(plan: Plan): PlatformPart[] {
  const { secrets } = plan.environment;
  const because = [reason("secrets.engine", `secrets are made by ${secrets.engine}`)];
  const title = "Secrets of all components";
  switch (secrets.engine) {
    case "plain":
      return [];
    case "sealed":
      return [
        part({
          name: "sealed-secrets",
          title: "Opens sealed secrets within the cluster",
          namespace: namespaces.sealedSecrets,
          after: ["namespaces", "network-policies"],
          sources: [chart("sealed-secrets", { values: values.sealedSecretsValues() })],
          because,
          workloads: [pods.sealedSecretsWorkload()],
        }),
        part({
          name: "secrets",
          title,
          namespace: namespaces.sealedSecrets,
          after: ["sealed-secrets"],
          sources: [{ kind: "folder", path: sealedFolder(plan) }],
          because,
        }),
      ];
    case "external-secrets":
      return [
        ...(isBrought(plan) ? [externalSecretsPart(plan, because)] : []),
        part({
          name: "secrets",
          title,
          namespace: plan.tracking.namespace,
          after: ["namespaces", "external-secrets"],
          sources: [folder(plan, "secrets")],
          because,
        }),
      ];
  }
}

/** In a cluster that is there already, whoever made the store runs External Secrets too. */
const isBrought = ({ environment: { secrets, target } }: Plan): boolean =>
  secrets.engine === "external-secrets" &&
  !(secrets.store.kind === "existing" && target.kind === "kubernetes");

const externalSecretsPart = (plan: Plan, because: PlatformPart["because"]): PlatformPart =>
  part({
    name: "external-secrets",
    title: "Copies secrets from the secret store",
    namespace: namespaces.externalSecrets,
    after: ["namespaces", "network-policies"],
    sources: [chart("external-secrets", { values: values.externalSecretsValues(plan) })],
    because,
    serverSide: true,
    workloads: [pods.externalSecretsWorkload(plan)],
  });

/** Where `make seal` puts sealed secrets. */
export const sealedFolder = (plan: Plan): string => `k8s-manifests/sealed-secrets/${plan.environment.name}`;

function gatewayParts(plan: Plan): PlatformPart[] {
  if (!hasRoutes(plan)) return [];
  const { gateway } = plan.environment;
  const { engine } = gateway;
  const because = [reason("gateway.engine", `${engine} serves what is reached from outside`)];
  const after = ["namespaces", "network-policies", "gateway-api-crds"];
  const controller: PlatformPart[] = [];
  if (engine === "envoy-gateway") {
    controller.push(
      upstream("envoy-gateway-crds", because),
      part({
        name: "envoy-gateway",
        title: "Makes proxies of Gateways and routes",
        namespace: namespaces.envoyGateway,
        after: [...after, "envoy-gateway-crds"],
        sources: [chart("envoy-gateway", { values: values.envoyGatewayValues(plan), skipCrds: true })],
        because,
      }),
    );
  }
  if (engine === "kgateway") {
    controller.push(
      part({
        name: "kgateway-crds",
        title: "Custom resources of kgateway",
        namespace: namespaces.kgateway,
        sources: [chart("kgateway-crds")],
        because,
        serverSide: true,
        keep: true,
      }),
      part({
        name: "kgateway",
        title: "Makes proxies of Gateways and routes",
        namespace: namespaces.kgateway,
        after: [...after, "kgateway-crds"],
        sources: [chart("kgateway", { values: values.kgatewayValues(plan) })],
        because,
      }),
    );
  }
  const routes = routesOf(plan);
  return [
    // GKE brings the Gateway API along.
    ...(engine === "gke" ? [] : [upstream("gateway-api-crds", because)]),
    ...controller,
    part({
      name: "certificates",
      title: "Who issues certificates",
      namespace: namespaces.certManager,
      after: ["cert-manager"],
      sources: [folder(plan, "certificates")],
      because: [reason("gateway.issuer", "certificates of Let's Encrypt")],
    }),
    part({
      name: "gateway",
      title: "The one way in from outside",
      namespace: gateway.namespace,
      after: ["certificates", ...controller.map(({ name }) => name)],
      sources: [folder(plan, "gateway")],
      because,
      workloads: pods.gatewayWorkloads(plan, backendsOf(partsOf(plan))),
    }),
    part({
      name: "routes",
      title: "What is reached from outside, and by whom",
      namespace: gateway.namespace,
      after: ["gateway", "secrets", ...new Set(routes.map((route) => route.part))],
      sources: [folder(plan, "routes")],
      because: [reason("tracking.exposure", "routes only for what is exposed")],
    }),
  ];
}

/** The other side of every rule that lets the Gateway in. */
const backendsOf = (parts: readonly Part[]): Workload["egress"] =>
  parts
    .flatMap((component) => component.workloads)
    .flatMap(({ namespace, selector, ingress }) =>
      ingress
        .filter(({ peer }) => peer.kind === "gateway")
        .map(({ ports, why }) => ({ peer: { kind: "pods" as const, namespace, selector }, ports, why })),
    );

function policyParts(plan: Plan): PlatformPart[] {
  const { policies } = plan.environment;
  if (policies.engine !== "kyverno") return [];
  return [
    part({
      name: "kyverno",
      title: "Judges what is applied to the cluster",
      namespace: namespaces.kyverno,
      after: ["namespaces", "network-policies"],
      sources: [chart("kyverno", { values: values.kyvernoValues(plan) })],
      because: [reason("policies.engine", "rules for everything that runs")],
      serverSide: true,
      workloads: [pods.kyvernoWorkload()],
    }),
    part({
      name: "policies",
      title: "Rules for everything that runs",
      namespace: namespaces.kyverno,
      // Last: on the first day nothing is refused because what it waits for is not there yet.
      after: ["kyverno", "kserve", "monitoring-stack", ...partsOf(plan).map(({ name }) => name)],
      sources: [folder(plan, "policies")],
      because: [reason("policies.action", `the rules' action is ${policies.action}`)],
    }),
  ];
}

function monitoringParts(plan: Plan): PlatformPart[] {
  const { monitoring } = plan.environment;
  if (monitoring.engine === "none") return [];
  const because = [reason("monitoring.engine", "what is watched, and when somebody is called")];
  const own = monitoring.engine === "prometheus-operator";
  return [
    ...(own
      ? [
          part({
            name: "monitoring-stack",
            title: "Prometheus, Alertmanager and Grafana",
            namespace: namespaces.monitoring,
            after: ["namespaces", "network-policies", "secrets"],
            sources: [
              chart("kube-prometheus-stack", {
                // The release's name is the label that its Prometheus looks for.
                release: monitoring.release,
                values: values.prometheusValues(plan),
              }),
            ],
            because,
            serverSide: true,
            workloads: [pods.monitoringWorkload()],
          }),
        ]
      : []),
    part({
      name: "monitoring",
      title: "What is watched, alerts and dashboards",
      namespace: own ? namespaces.monitoring : namespaces.argoCd,
      after: own ? ["monitoring-stack"] : ["namespaces"],
      sources: [folder(plan, "monitoring")],
      because,
    }),
  ];
}
