import { reads, uses } from "../../kernel/access.ts";
import { invalidParameter } from "../../kernel/errors.ts";
import { isoToMicros } from "../../kernel/micros.ts";
import {
  deploymentProviders,
  readDeploymentFacts,
  type DeploymentProvider,
} from "../../modules/pipelines/index.ts";
import { issueApiToken, type ApiTokenOptions } from "./api-tokens.ts";
import type { ZenmlContext } from "./context.ts";
import {
  awsConsole,
  gcpSettings,
  gcpShell,
  terraformOf,
  textsOf,
  type DeploymentGiven,
} from "./deployment-texts.ts";
import { endpoint, type ZenmlCall, type ZenmlEndpoint } from "./endpoint.ts";
import { invalidRequest } from "./errors.ts";
import { readFlag } from "./list-query.ts";
import { stackViews } from "./stacks.ts";

/** The time that a deployment in a cloud may take until its stack is registered. */
const TOKEN_SECONDS = 6 * 60 * 60;

/** Stacks that are created in a cloud with templates of ZenML's own: what they need, and which one came of it. */
export function stackDeploymentEndpoints(context: ZenmlContext, tokens: ApiTokenOptions): ZenmlEndpoint[] {
  const { access } = context;
  const views = stackViews(context);

  return [
    endpoint({
      method: "GET",
      path: "/stack-deployment/info",
      access: reads("stack"),
      async handle(call) {
        await access.requireShared(call.request, "read");
        const provider = readProvider(call);
        const facts = await readDeploymentFacts(provider);
        const { description, instructions, after } = textsOf(provider);
        const { locations, skypilot_default_regions: regions } = facts;
        const shown = regions === null ? undefined : new Set(regions);
        return {
          provider,
          description,
          instructions,
          post_deploy_instructions: after,
          integrations: facts.integrations,
          permissions: facts.permissions,
          locations,
          skypilot_default_regions: Object.fromEntries(
            Object.entries(locations).filter(([, region]) => shown?.has(region) ?? true),
          ),
        };
      },
    }),
    endpoint({
      method: "GET",
      path: "/stack-deployment/config",
      access: uses("stack"),
      async handle(call) {
        await access.requireShared(call.request, "use");
        const provider = readProvider(call);
        const stackName = readText(call, "stack_name");
        const isTerraform = readFlag(call.parameters, "terraform", false);
        const token = await issueApiToken(tokens, {
          query: { token_type: "generic", expires_in: String(TOKEN_SECONDS) },
          request: call.request,
        });
        return configOf(provider, isTerraform, {
          stackName,
          location: readLine(call.query["location"], "location"),
          url: call.request.site,
          token,
          resourceName: `zenml-${call.newId().slice(0, 6)}`,
        });
      },
    }),
    endpoint({
      method: "GET",
      path: "/stack-deployment/stack",
      access: reads("stack"),
      async handle(call) {
        await access.requireShared(call.request, "read");
        const provider = readProvider(call);
        readText(call, "stack_name");
        const isTerraform = readFlag(call.parameters, "terraform", false);
        const row = await context.pipelines.stacks.findDeployed({
          provider,
          deployment: isTerraform ? "terraform" : textsOf(provider).deployment,
          after: readTime(call.query["date_start"]),
        });
        if (row === undefined) return null;
        const [[stack], connectors] = await Promise.all([
          views(call, [row], true),
          context.relatedFor(call).serviceConnectors([row.connector_id]),
        ]);
        return { stack, service_connector: connectors.get(row.connector_id) ?? null };
      },
    }),
  ];
}

function configOf(provider: DeploymentProvider, isTerraform: boolean, given: DeploymentGiven): object {
  const { deployment } = textsOf(provider);
  const terraform = (): string => terraformOf(provider, given, isTerraform ? "terraform" : deployment);
  switch (provider) {
    case "aws":
      return {
        deployment_url: awsConsole(given),
        deployment_url_text: "AWS CloudFormation Console",
        configuration: isTerraform ? terraform() : null,
        instructions: null,
      };
    case "gcp":
      return {
        deployment_url: gcpShell(),
        deployment_url_text: "GCP Cloud Shell Console",
        configuration: isTerraform ? terraform() : gcpSettings(given),
        instructions: "The deployment asks for these settings:",
      };
    case "azure":
      return {
        deployment_url: "https://shell.azure.com",
        deployment_url_text: "Azure Cloud Shell Console",
        configuration: terraform(),
        instructions:
          "1. Open the Azure Cloud Shell.\n2. Save the configuration below as `main.tf`.\n3. Run `terraform init --upgrade`.\n4. Run `terraform apply`.",
      };
  }
}

function readProvider({ query }: ZenmlCall): DeploymentProvider {
  const provider = deploymentProviders.find((one) => one === query["provider"]);
  if (provider !== undefined) return provider;
  throw invalidRequest([
    query["provider"] === undefined
      ? { type: "missing", loc: ["query", "provider"], msg: "Field required" }
      : { type: "enum", loc: ["query", "provider"], msg: 'Input should be "aws", "gcp" or "azure"' },
  ]);
}

function readText({ query }: ZenmlCall, name: string): string {
  const text = readLine(query[name], name);
  if (text !== undefined) return text;
  throw invalidRequest([{ type: "missing", loc: ["query", name], msg: "Field required" }]);
}

/** Goes into files that are run: one line, without what a shell would run. */
function readLine(text: string | undefined, name: string): string | undefined {
  if (text !== undefined && /[\p{Cc}`$;|&<>\\]/u.test(text)) {
    throw invalidParameter(`${name} must be one line without any of \` $ ; | & < > \\`);
  }
  return text;
}

function readTime(text: string | undefined): number | null {
  if (text === undefined) return null;
  // A bare `+` of the zone is a space once it was in an address.
  const at = isoToMicros(text) ?? isoToMicros(text.replace(/ (\d\d:\d\d)$/, "+$1"));
  if (at !== undefined) return at;
  throw invalidRequest([
    { type: "datetime_parsing", loc: ["query", "date_start"], msg: "Input should be a valid datetime" },
  ]);
}
