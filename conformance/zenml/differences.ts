// Where Plinth answers otherwise than ZenML's own server on purpose. Every entry has a reason; an entry that is not
// needed any more fails. Three rules need no entry: of an error, its form and the class of its exception count, not its
// words; where upstream fails (500), Plinth must answer something below 500; and answers may have what `added` names on
// top, which clients of the other version need. Lists are not asked for with a filter of no values (`oneof:[]`): upstream
// leaves such a filter out, and Plinth finds nothing.
import type { ZenmlVersion } from "../src/environment.ts";

export interface Difference {
  /** "scenario > step", or "scenario" for all steps of it */
  readonly at: readonly string[];
  readonly reason: string;
  /** Beside these versions; both unless said. */
  readonly versions?: readonly ZenmlVersion[];
  /** What Plinth answers; nothing of the body is compared then. */
  readonly status?: number;
  /** Paths of the body that are other, by regular expression. */
  readonly except?: RegExp;
  /** They may be equal by chance. */
  readonly byChance?: true;
}

/**
 * Keys that Plinth's answers have for clients of 0.84, by path. What clients of 0.84 are answered may have whatever 0.98
 * has: they pass over what they do not know.
 */
export const added: readonly RegExp[] = [
  /\b(body|metadata)\.(build|code_reference|pipeline|schedule|stack)$/,
  /\bbody\.(deployment_id|model_version_id|trigger_execution)$/,
  /\bmetadata\.(deployment_id|logs)$/,
  /\bspec\.pipeline_parameter_name$/,
  /\bresources\.(logs|deployment|source_deployment)$/,
];

export const differences: readonly Difference[] = [
  {
    at: ["tags > read by what is no id", "tags > deleted by what is no id"],
    versions: ["0.98.0"],
    reason: "Clients of 0.84 ask for tags by name.",
    status: 404,
  },
  {
    at: ["tags > without a color"],
    reason: "Upstream draws lots for it.",
    except: /^body\.body\.color:/,
    byChance: true,
  },
  {
    at: [
      "projects > name is an empty list",
      "projects > name is an empty object",
      "projects > display_name is null",
      "projects > display_name is an empty list",
      "projects > display_name is an empty object",
    ],
    reason: "A name is a text; upstream takes every empty value for none.",
    status: 422,
  },
  {
    at: ["projects > changed: display_name is an empty text"],
    reason: "A project that has nothing to show is shown by its name.",
    except: /^body\.body\.display_name:/,
  },
  {
    at: ["code repositories > name is an empty text"],
    reason: "What has no name cannot be asked for.",
    status: 422,
  },
  {
    at: [
      "code repositories > another source",
      "code repositories > the others are still there",
      "code repositories > listed by the project's name",
    ],
    reason: "Upstream forgets to change the source of a repository.",
    except: /body\.source\./,
  },
  {
    at: ["flavors"],
    versions: ["0.98.0"],
    reason: "Upstream shows its own title of the name, whatever display name was asked for.",
    except: /body\.display_name:|"display_name"/,
  },
  {
    at: ["stacks > the default stack"],
    versions: ["0.98.0"],
    reason: "Clients of 0.84 know no deployers, and end where they meet one.",
    except: /^body\.metadata\.components\.deployer:/,
  },
  {
    at: ["service connectors"],
    reason: "Types of connectors are described in Plinth's own words.",
    except: /connector_type\..*(description|title|name|logo_url|docs_url|sdk_docs_url|emoji)/,
  },
  {
    at: ["service connectors > what is known of a type"],
    reason: "Types of connectors are described in Plinth's own words.",
    except: /^body\.(auth_methods|resource_types|description|logo_url)/,
  },
  {
    at: ["service connectors > of a type that is none"],
    reason: "A connector of a type that nobody knows would never connect.",
    status: 400,
  },
  {
    at: ["service connectors > expiration_seconds is a number"],
    reason: "A password does not expire after a while: upstream says so only when the connector is verified.",
    status: 400,
  },
  {
    at: [
      "service connectors > expiration_seconds is true",
      "service connectors > expiration_seconds is a number in a text",
    ],
    reason: "A number is a number; and a password does not expire after a while.",
    status: 422,
  },
  {
    at: ["service connectors > a name of 255 letters"],
    reason: "Upstream keeps the secrets under a name that it makes longer.",
    status: 200,
  },
  {
    at: ["pipelines"],
    reason: "Upstream forgets the description where an update names none.",
    except: /metadata\.description: .*, not null$/,
  },
  {
    at: [
      "schedules > deleted",
      "schedules > deleted twice",
      "schedules > what is not there is deleted",
      "schedules > read after it was deleted",
    ],
    versions: ["0.98.0"],
    reason:
      "Clients of 0.84 do not say whether a schedule is to be kept when it is deleted, which 0.98 asks for.",
    except: /./,
  },
  {
    at: ["components > changed: configuration is null"],
    reason: "The error has the form of other wrong types.",
    status: 422,
  },
  {
    at: [
      "builds > duration is true",
      "builds > duration is a number in a text",
      "artifact versions > version is true",
      "artifact versions > version is an empty text",
    ],
    reason:
      "Numbers are numbers and times are texts, as both clients send them; upstream takes one for the other.",
    status: 422,
  },
  {
    versions: ["0.98.0"],
    at: [
      "schedules > start_time is a number",
      "schedules > start_time is a fraction",
      "schedules > start_time is a number in a text",
      "schedules > interval_second is true",
    ],
    reason:
      "Numbers are numbers and times are texts, as both clients send them; upstream takes one for the other.",
    status: 422,
  },
  {
    versions: ["0.98.0"],
    at: ["schedules > a name of 256 letters", "schedules > a name of 10,000 letters"],
    reason: "Names are refused where all requests are checked; upstream's database refuses these.",
    status: 422,
  },
  {
    at: ["runs of 0.98.0"],
    versions: ["0.98.0"],
    reason:
      "The parent of a step is the attempt that succeeded; numbers of runs have no gaps; what is no id finds nothing.",
    except: /parent_step_ids\[\]: "<again>"|body\.index: |"trigger_id":/,
  },
  {
    at: ["runs of 0.84.0"],
    versions: ["0.84.0"],
    reason:
      "The parent of a step is the attempt that succeeded, not one that failed; numbers of runs have no gaps; " +
      "the filters of 0.98 work for clients of 0.84 too.",
    except: /parent_step_ids\[\]: "<again>"|body\.index: |"oneof:|"templatable":/,
  },
  {
    at: ["runs of 0.84.0 > completed twice"],
    versions: ["0.84.0"],
    reason: "A step that has ended stays as it ended, for clients of 0.84 as for others.",
    status: 403,
  },
  {
    at: ["runs of 0.84.0 > the run is not over"],
    versions: ["0.84.0"],
    reason: "A status that only 0.98 knows is understood, whoever sends it.",
    status: 200,
  },
  {
    at: ["runs of 0.84.0 > the second run", "runs of 0.84.0 > the second run fails"],
    versions: ["0.84.0"],
    reason: "A run that was asked to stop has stopped, as 0.98 has it.",
    except: /./,
  },
  {
    at: ["projects > the default one"],
    reason: "The default workspace was there before it was a project, and says so.",
    except: /^body\.metadata\.description:/,
  },
  {
    at: ["code repositories > changed: config is an empty object"],
    reason: "An empty configuration is one.",
    except: /metadata\.config/,
  },
  {
    at: ["code repositories > listed without a project"],
    reason: "Upstream lists what has no name, and forgets to change sources.",
    except: /./,
  },
  {
    at: ["code repositories > a project that is not there"],
    versions: ["0.84.0"],
    reason: "What is in no project cannot be found again.",
    status: 404,
  },
  {
    at: ["service connectors > every filter of /service_connectors"],
    versions: ["0.98.0"],
    reason: "Upstream lists connectors in one order, whichever is asked for.",
    except: /"sort_by":"desc:/,
  },
  {
    at: ["schedules > every filter of /schedules"],
    versions: ["0.98.0"],
    reason: "An interval is a number.",
    except: /"interval_second":/,
  },
  {
    at: ["artifact versions > every filter of /artifact_versions"],
    versions: ["0.98.0"],
    reason: "What is no id of an artifact finds none.",
    except: /"artifact_id":/,
  },
  {
    at: ["model versions > every filter of /model_versions"],
    versions: ["0.98.0"],
    reason: "The model is narrowed by `model`, which both clients send.",
    except: /"model_name_or_id":/,
  },
  {
    at: ["model versions > through the model's name"],
    reason: "It lists the version that upstream let be called by a number.",
    except: /items\[\]\.name: "3", not "77"/,
  },
  {
    at: ["model versions > renamed to a number"],
    reason: "A version that is called 77 cannot be told from the 77th; so it is when one is made.",
    status: 400,
  },
  {
    at: ["model versions > linked twice"],
    reason: "What is linked already is shown as it was when it was linked.",
    except: /^body\.metadata:/,
  },
  {
    at: [
      "components > settings that the flavor does not know",
      "components > configuration is an object",
      "components > configured",
      "components > changed: configuration is an object",
    ],
    versions: ["0.84.0"],
    reason: "Settings that a flavor does not know are refused, as 0.98 does; 0.84 drops them without a word.",
    status: 400,
  },
  {
    at: ["components > of a kind"],
    versions: ["0.84.0"],
    reason: "It lists what 0.84 made of those settings.",
    except: /^body\.(items|total)/,
  },
  {
    at: ["stacks > a component of another type"],
    versions: ["0.84.0"],
    reason: "A stack cannot run with a component of another type, which 0.98 refuses.",
    status: 400,
  },
  {
    at: ["stacks > two orchestrators"],
    versions: ["0.84.0"],
    reason: "A stack has one orchestrator, as 0.98 has it.",
    status: 422,
  },
  {
    at: ["stacks > with a component"],
    versions: ["0.84.0"],
    reason: "It lists what 0.84 made with two orchestrators.",
    except: /^body\.(items|total)/,
  },
];
