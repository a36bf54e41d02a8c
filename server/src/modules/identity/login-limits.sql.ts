import type { Prepared, Queryable } from "../../kernel/database.ts";

/** What failures are counted of: an account at an address, an account, an address. */
export type LoginSubjects = { pair: string; account: string; address: string };

export type LoginCounts = {
  pair: number;
  pair_since: number;
  account: number;
  account_since: number;
  address: number;
  address_since: number;
  /** Whether the password was right here before. */
  known: boolean;
};

const countOf = (subject: string, parameter: string): string => `
  coalesce(max(failures) filter (where subject = ${parameter} and window_start > $4), 0) as ${subject},
  coalesce(max(window_start) filter (where subject = ${parameter}), $5) as ${subject}_since`;
const COUNTS = `${countOf("pair", "$1")}, ${countOf("account", "$2")}, ${countOf("address", "$3")},
  coalesce(bool_or(known_until > $5) filter (where subject = $1), false) as known`;

const selectText: Prepared = {
  name: "identity_select_login_failures",
  text: `
    select ${COUNTS} from identity.login_failures where subject in ($1::text, $2::text, $3::text) and $5::bigint > 0`,
};

// The pair first, and the others only while that is below its limit: whoever is blocked blocks nobody else. The same
// order everywhere, so that two attempts never wait for one another in a circle. A window begins with its first failure.
const UPSERT = `
  on conflict on constraint login_failures_pkey do update set
    failures = case when known.window_start > $4 then known.failures + 1 else 1 end,
    window_start = case when known.window_start > $4 then known.window_start else $5 end
  returning subject, failures, window_start, known_until`;
const insertText: Prepared = {
  name: "identity_insert_login_failure",
  text: `
    with pair as (
      insert into identity.login_failures as known (subject, failures, window_start) values ($1, 1, $5) ${UPSERT}
    ), others as (
      insert into identity.login_failures as known (subject, failures, window_start)
      select subject, 1, $5 from unnest(array[$2::text, $3::text]) as given (subject)
      where (select failures from pair) <= $6
      order by subject ${UPSERT}
    )
    select ${COUNTS} from (table pair union all table others) as counted`,
};

type Moment = { windowAgo: number; now: number };

const values = ({ pair, account, address }: LoginSubjects, { windowAgo, now }: Moment): unknown[] => [
  pair,
  account,
  address,
  windowAgo,
  now,
];

/** Failures in the windows that are not over. */
export async function selectLoginFailures(
  database: Queryable,
  subjects: LoginSubjects,
  moment: Moment,
): Promise<LoginCounts> {
  const [row] = await database.prepared<LoginCounts>(selectText, values(subjects, moment));
  return row as LoginCounts;
}

/** Counts one more, and tells how many that makes; of the pair alone, when that is more than `pairLimit`. */
export async function insertLoginFailure(
  database: Queryable,
  subjects: LoginSubjects,
  { pairLimit, ...moment }: Moment & { pairLimit: number },
): Promise<LoginCounts> {
  const all = [...values(subjects, moment), pairLimit];
  const [row] = await database.prepared<LoginCounts>(insertText, all);
  return row as LoginCounts;
}

const forgetText: Prepared = {
  name: "identity_forget_login_failure",
  text: `
    with sorted as (
      select subject from identity.login_failures where subject in ($1::text, $2::text, $3::text)
      order by subject <> $1, subject for update
    )
    update identity.login_failures as known set
      failures = case when known.subject = $1 then 0 else greatest(known.failures - 1, 0) end,
      known_until = case when known.subject = $1 then $4 else known.known_until end
    from sorted where known.subject = sorted.subject`,
};

/** Takes back what an attempt counted that was right after all, and knows the account at that address from now on. */
export async function updateLoginRight(
  database: Queryable,
  { pair, account, address }: LoginSubjects,
  knownUntil: number,
): Promise<void> {
  await database.prepared(forgetText, [pair, account, address, knownUntil]);
}

const deleteText: Prepared = {
  name: "identity_delete_login_failures",
  text: "delete from identity.login_failures where window_start <= $1 and known_until <= $2",
};

export async function deleteLoginFailures(database: Queryable, { windowAgo, now }: Moment): Promise<void> {
  await database.prepared(deleteText, [windowAgo, now]);
}
