// As differences.ts, about who logs in: users, service accounts, keys, devices, and about the server itself.
import type { Difference } from "./differences.ts";

export const accountDifferences: readonly Difference[] = [
  {
    at: ["users > neither active nor invited"],
    reason: "Who is to be put out is, though they have a password.",
    except: /^body\.body\.active:/,
  },
  {
    at: ["users in and out", "users who own things", "keys in and out", "the server > in"],
    reason: "Tokens end.",
    except: /^body\.expires_in:/,
  },
  {
    at: ["robots who want more"],
    versions: ["0.98.0"],
    reason: "Tokens end.",
    except: /^body\.expires_in:/,
  },
  {
    at: ["users in and out > nobody is activated", "users in and out > activated twice"],
    reason: "Whoever has no token does not learn who there is, nor who is active.",
    status: 401,
  },
  {
    at: [
      "users in and out > opted out",
      "users in and out > its project",
      "users in and out > by the other way",
      "users in and out > its avatar",
    ],
    reason: "Upstream forgets the address where it is changed by one's id.",
    except: /^body\.body\.email_opted_in:/,
  },
  {
    at: ["users in and out > no administrator here either"],
    reason: "What is not done is refused; upstream answers as if it were done.",
    status: 403,
  },
  {
    at: ["users > read after: put out"],
    versions: ["0.84.0"],
    reason: "Upstream says so, and forgets it.",
    except: /^body\.body\.active:/,
  },
  {
    at: ["users > a project that is not there"],
    versions: ["0.84.0"],
    reason: "There is no such project.",
    status: 404,
  },
  {
    at: ["users in and out > with one that is wrong"],
    versions: ["0.84.0"],
    reason: "With a password end the tokens that were given for it, as 0.98 has it.",
    status: 401,
  },
  {
    at: ["service accounts of 0.98.0 > the name of a user"],
    versions: ["0.98.0"],
    reason: "One name is one principal, in grants and in the audit log.",
    status: 409,
  },
  {
    at: ["service accounts of 0.84.0 > the name of a user"],
    versions: ["0.84.0"],
    reason: "One name is one principal, in grants and in the audit log.",
    status: 409,
  },
  {
    at: ["keys > name is an empty text"],
    reason: "What has no name cannot be asked for.",
    status: 400,
  },
  {
    at: ["keys > a time before"],
    reason: "Nothing is kept until before now.",
    status: 422,
  },
  {
    at: ["keys in and out > its key was used", "keys in and out > put out", "keys in and out > let in again"],
    reason: "When a key was used is written down some moments later.",
    except: /last_login:/,
    byChance: true,
  },
  {
    at: ["the server > info", "the server > info for nobody", "the server > info after that"],
    reason:
      "The database is none that the clients know, and nobody is told who does not log in when others did; a long name " +
      "is refused.",
    except: /^body\.(database_type|last_user_activity|name):/,
  },
  {
    at: ["the server"],
    reason: "Plinth shows nobody what ZenML's makers announce, unless it is asked to.",
    except: /^body\.body\.display_(announcements|updates):/,
  },
  {
    at: ["the server > a long name"],
    reason: "Names have 255 letters at most.",
    status: 422,
  },
  {
    at: ["the server > what it does"],
    reason: "It is made otherwise.",
    except: /^body\.(threads|db_connections_\w+):/,
  },
  {
    at: ["the server > statistics"],
    versions: ["0.98.0"],
    reason:
      "Clients of 0.84 know no deployers, and end where they meet one: there is none from the beginning.",
    except: /^body\.components:/,
  },
  {
    at: ["devices > asked to be let in", "devices > asked once more"],
    reason: "The code is one that people can read and type.",
    except: /^body\.(user_code|verification_uri_complete):/,
  },
  {
    at: ["devices > in"],
    reason: "Tokens end, and say which device they are of.",
    except: /^body\.(expires_in|device_id):/,
  },
  {
    at: ["devices"],
    reason: "Devices stay let in for a day, or seven; upstream's stay for ever.",
    except: /^body\.(items\[\]\.)?body\.expires:/,
  },
  {
    at: ["logs of 0.84.0 > the logs", "logs of 0.84.0 > the logs without metadata"],
    versions: ["0.84.0"],
    reason: "They say whose they are.",
    except: /^body\.resources:/,
  },
  {
    at: ["links of models of 0.98.0 > a run twice"],
    versions: ["0.98.0"],
    reason: "What is linked already is shown as it was when it was linked.",
    except: /^body\.metadata:/,
  },
  {
    at: ["links of models of 0.84.0 > a run twice"],
    versions: ["0.84.0"],
    reason: "What is linked already is shown as it was when it was linked.",
    except: /^body\.metadata:/,
  },
  {
    at: ["names like ids of 0.84.0 > by one of several"],
    versions: ["0.84.0"],
    reason: "The filters of 0.98 work for clients of 0.84 too.",
    status: 200,
  },
];
