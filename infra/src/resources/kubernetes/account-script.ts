/** Shell scripts that make an application's database and user in a server of KubeBlocks, as often as they run. */
export const accountScript = (dialect: "mysql" | "postgresql"): string =>
  dialect === "mysql" ? MYSQL : POSTGRESQL;

const MYSQL = `#!/bin/sh
set -eu
export MYSQL_PWD="$ADMINISTRATOR_PASSWORD"

client() {
  mysql --host="$DATABASE_HOST" --port="$DATABASE_PORT" --user="$ADMINISTRATOR" "$@"
}

# The server may still be on its way up: the Job's deadline ends the wait.
until client --execute 'select 1' >/dev/null; do
  sleep 5
done

# As base64 no character of the password can end the text that it stands in.
password=$(printf '%s' "$DATABASE_PASSWORD" | base64 | tr -d '\\n')

client <<SQL
create database if not exists $DATABASE_NAME character set utf8mb4;
set @literal = quote(convert(from_base64('$password') using utf8mb4));
set @make = concat('create user if not exists $DATABASE_USER identified by ', @literal);
set @renew = concat('alter user $DATABASE_USER identified by ', @literal);
prepare make from @make;
execute make;
prepare renew from @renew;
execute renew;
grant all privileges on $DATABASE_NAME.* to $DATABASE_USER;
grant all privileges on \${DATABASE_NAME}_backup.* to $DATABASE_USER;
SQL
`;

const POSTGRESQL = `#!/bin/sh
set -eu
export PGHOST="$DATABASE_HOST" PGPORT="$DATABASE_PORT" PGUSER="$ADMINISTRATOR"
export PGPASSWORD="$ADMINISTRATOR_PASSWORD" PGDATABASE=postgres

# The server may still be on its way up: the Job's deadline ends the wait.
until psql --no-psqlrc --command 'select 1' >/dev/null; do
  sleep 5
done

# The values are read from the environment by psql itself, which quotes them.
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 <<'SQL'
\\getenv name DATABASE_NAME
\\getenv user DATABASE_USER
\\getenv password DATABASE_PASSWORD
select format('create role %I login', :'user')
  where not exists (select from pg_roles where rolname = :'user') \\gexec
select format('alter role %I password %L', :'user', :'password') \\gexec
select format('create database %I owner %I', :'name', :'user')
  where not exists (select from pg_database where datname = :'name') \\gexec
SQL
`;
