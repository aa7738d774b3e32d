-- constrain.messages: app.messages: messages_parent_id_fkey, messages_thread_id_fkey
-- from   specs/demo/tables/visits.yaml:1
-- after  reconcile.messages, index.messages
-- locks  SHARE ROW EXCLUSIVE on app.messages (ADD FOREIGN KEY)
-- locks  SHARE UPDATE EXCLUSIVE on app.messages (VALIDATE CONSTRAINT)
-- locks  ROW SHARE on app.messages (VALIDATE CONSTRAINT)
-- undo   drops them

-- transhume: apply on target -- checked for new rows from here on
ALTER TABLE app.messages ADD CONSTRAINT messages_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES app.messages (id) NOT VALID;
ALTER TABLE app.messages ADD CONSTRAINT messages_thread_id_fkey FOREIGN KEY (thread_id) REFERENCES app.messages (id) NOT VALID;

-- transhume: build of "messages_parent_id_fkey" on target
ALTER TABLE app.messages VALIDATE CONSTRAINT messages_parent_id_fkey;

-- transhume: build of "messages_thread_id_fkey" on target
ALTER TABLE app.messages VALIDATE CONSTRAINT messages_thread_id_fkey;

-- transhume: verify on target
SELECT expected.name || ' is not there, not validated, or not what it was' AS problem
FROM (
  VALUES
    ('messages_parent_id_fkey', true, NULL),
    ('messages_thread_id_fkey', true, NULL)
) AS expected (name, is_valid, definition)
WHERE NOT EXISTS (
  SELECT
  FROM pg_constraint AS k
  WHERE k.conrelid = to_regclass('app.messages')
    AND k.conname = expected.name
    AND k.convalidated = expected.is_valid
    AND coalesce(expected.definition, '') IN ('', regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''))
);

-- transhume: revert on target
ALTER TABLE app.messages DROP CONSTRAINT IF EXISTS messages_parent_id_fkey;
ALTER TABLE app.messages DROP CONSTRAINT IF EXISTS messages_thread_id_fkey;
