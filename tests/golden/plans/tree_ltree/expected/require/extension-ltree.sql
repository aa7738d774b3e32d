-- require.extension-ltree: extension ltree
-- from   specs/demo/project.yaml:6
-- undo   drops the extension, which was not there before

-- transhume: gate on target
SELECT 'the server does not have extension ltree' AS problem
WHERE NOT EXISTS (SELECT FROM pg_available_extensions AS e WHERE e.name = 'ltree')
UNION ALL
SELECT 'extension ltree is there already; take a new snapshot of the target'
WHERE EXISTS (SELECT FROM pg_extension AS e WHERE e.extname = 'ltree');

-- transhume: apply on target
CREATE EXTENSION ltree SCHEMA public;

-- transhume: revert on target
DROP EXTENSION ltree;
