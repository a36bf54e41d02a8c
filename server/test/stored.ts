import type { TestServer } from "./harness.ts";

/**
 * All that is stored, as a digest of each table, to see that a request changed nothing. Without what is of no
 * workspace (keys of metrics and tags), what refusals write (the audit log, counts of failed logins) and when
 * credentials were used last.
 */
export async function stored({ database }: TestServer): Promise<Record<string, string | null>> {
  const tables = await database.prepared<{ name: string }>(
    {
      name: "test_tables",
      text: `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
        where table_schema in ('identity', 'storage', 'tracking', 'registry', 'pipelines') and table_type = 'BASE TABLE'
          and (table_schema, table_name) <> ('tracking', 'keys')
          and not (table_schema = 'identity' and (table_name like 'audit%' or table_name = 'login_failures'))
        order by 1`,
    },
    [],
  );
  const digests = tables.map(({ name }) => {
    const text = `
      select md5(string_agg((to_jsonb(t) - 'last_used_at')::text, ',' order by (to_jsonb(t) - 'last_used_at')::text))
        as digest
      from ${name} as t`;
    return database.prepared<{ digest: string | null }>({ name: `test_digest_${name}`, text }, []);
  });
  const found = await Promise.all(digests);
  return Object.fromEntries(tables.map(({ name }, index) => [name, found[index]?.[0]?.digest ?? null]));
}
