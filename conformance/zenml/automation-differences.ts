// As `differences.ts`, about what runs, waits or serves by itself: schedules, triggers, webhooks, services and the like.
import type { Difference } from "./differences.ts";

const webhooks = ["webhooks", "events of webhooks", "triggers by webhook"] as const;

const of98: readonly Difference[] = [
  {
    at: [
      "schedules of 0.98.0 > every filter of /schedules",
      "schedules that are kept > every filter of /schedules",
    ],
    reason: "An interval is a number.",
    except: /"interval_second":/,
  },
  {
    at: ["schedules of 0.98.0 > a name of 256 letters", "schedules of 0.98.0 > a name of 10,000 letters"],
    reason: "Names are refused where all requests are checked; upstream's database refuses these.",
    status: 422,
  },
  {
    at: ["schedules that are kept > its run is still there"],
    reason: "What is archived already keeps the name that it got then.",
    except: /^body\.resources\.schedule\.name:/,
  },
  {
    at: ["services of 0.98.0 > name is an empty text"],
    reason: "What has no name cannot be asked for.",
    status: 422,
  },
  {
    at: ["services of 0.98.0 > a status of a state that is none"],
    reason: "It is not kept; upstream keeps it, and fails with every list that it is in.",
    status: 422,
  },
  {
    at: ["run templates of 0.98.0"],
    reason: "What may be configured is described by its types alone.",
    except: /config_schema\..*\.description: missing/,
  },
  {
    at: [
      "triggers by schedule > name is an empty text",
      "triggers by schedule > changed: name is an empty text",
      "webhooks > name is an empty text",
      "webhooks > changed: name is an empty text",
    ],
    reason: "What has no name cannot be asked for.",
    status: 422,
  },
  {
    at: [
      "triggers by schedule > read when archived",
      "snapshots of triggers > archived, it has none",
      "triggers by webhook > archived, it keeps its webhook",
      "triggers by webhook > the others are still there",
    ],
    reason: "Names of archived ones end in something that is drawn by lot.",
    except: /body\.name:/,
  },
  {
    at: [
      "triggers by event > events of pipelines",
      "triggers by event > events of runs",
      "triggers by event > events of snapshots",
    ],
    reason: "Events are described in Plinth's own words.",
    except: /description:/,
  },
  {
    at: ["triggers by event > a source of another project"],
    reason: "What is in another project is not there.",
    status: 404,
  },
  {
    at: [
      "snapshots of triggers > read with both",
      "snapshots of triggers > by the snapshot",
      "snapshots of triggers > by several snapshots",
      "snapshots of triggers > by the pipeline",
    ],
    reason: "Upstream lists what is attached in an order of chance.",
    except: /resources\.(executable_)?snapshots\[\]/,
    byChance: true,
  },
  {
    at: ["wait conditions > gone on with", "wait conditions > aborted"],
    reason: "The run is shown as it is after the answer; upstream shows it as it was before.",
    except: /^body\.resources\.run\.body\.(status|status_reason|in_progress):/,
  },
  {
    at: webhooks,
    reason: "Where events are to be sent is known without being configured.",
    except: /body\.endpoint_url:/,
  },
  {
    at: ["webhooks > secret is null"],
    reason: "Secrets that are made by the server are drawn by lot.",
    except: /^body\.secret:/,
  },
  {
    at: [
      "events of webhooks > what came",
      "events of webhooks > what came from GitHub",
      "events of webhooks > its ping",
      "events of webhooks > what came from Slack",
    ],
    reason: "Upstream keeps what came only where it runs pipelines by itself.",
    status: 200,
  },
  {
    at: ["curated visualizations > on a project"],
    reason: "What is of one project is not put on another.",
    status: 404,
  },
  {
    at: ["curated visualizations > in another project"],
    reason: "What is in another project is not there.",
    status: 404,
  },
  {
    at: [
      "curated visualizations > changed: display_order is true",
      "curated visualizations > changed: display_order is a number in a text",
    ],
    reason: "Numbers are numbers, as the client sends them; upstream takes other things for them.",
    status: 422,
  },
];

const of84: readonly Difference[] = [
  {
    at: ["schedules of 0.84.0 > a name of 256 letters", "schedules of 0.84.0 > a name of 10,000 letters"],
    reason: "Names are refused where all requests are checked; upstream's database refuses these.",
    status: 422,
  },
  {
    at: ["services of 0.84.0 > name is an empty text"],
    reason: "What has no name cannot be asked for.",
    status: 422,
  },
  {
    at: ["services of 0.84.0 > a status of a state that is none"],
    reason: "It is not kept; upstream keeps it, and fails with every list that it is in.",
    status: 422,
  },
  {
    at: [
      "triggers of 0.84.0 > triggers",
      "triggers of 0.84.0 > actions",
      "triggers of 0.84.0 > event sources",
      "triggers of 0.84.0 > what event sources there are",
      "triggers of 0.84.0 > what actions there are",
      "triggers of 0.84.0 > an event source",
    ],
    reason:
      "Triggers are those of 0.98, which has others in their place and knows no actions and event sources.",
    status: 404,
  },
  {
    at: ["run templates of 0.84.0"],
    reason: "What may be configured is what 0.98 knows, described by its types alone.",
    except: /config_schema\./,
  },
];

export const automationDifferences: readonly Difference[] = [
  ...of98.map((one): Difference => ({ ...one, versions: ["0.98.0"] })),
  ...of84.map((one): Difference => ({ ...one, versions: ["0.84.0"] })),
];
