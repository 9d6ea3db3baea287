-- It takes the number of people seen as well; functions are made anew after this, and there must not be two.
drop function if exists change_queue(jsonb, uuid, text, timestamptz, jsonb);
