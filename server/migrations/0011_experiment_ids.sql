-- Ids of experiments that MLflow's file store made have 18 digits. Inside, every row points at its experiment
-- by 4 bytes, so such an experiment has a number of its own, from 2,000,000,000 on, and its id stands here.

create table tracking.experiment_ids (
  experiment_id integer constraint experiment_ids_pkey primary key
    constraint experiment_ids_experiment_id_fkey references tracking.experiments on delete cascade,
  long_id bigint not null constraint experiment_ids_long_id_key unique
);

create sequence tracking.long_experiment_numbers as integer minvalue 2000000000;

-- The id that clients know.
create function tracking.experiment_id_text(number integer) returns text language sql stable parallel safe
  return case when number < 2000000000 then number::text
    else (select ids.long_id::text from tracking.experiment_ids as ids where ids.experiment_id = number) end;

-- The number inside of an id that clients know; null where no experiment has it.
create function tracking.experiment_number(id text) returns integer language sql stable parallel safe
  return case when id !~ '^[0-9]{1,19}$' then null
    when id::numeric < 2000000000 then id::integer
    when id::numeric <= 9223372036854775807
      then (select ids.experiment_id from tracking.experiment_ids as ids where ids.long_id = id::bigint)
    end;
