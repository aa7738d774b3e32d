-- require.extension-uuid-ossp: extension uuid-ossp
-- from   specs/demo/project.yaml:7
-- undo   drops the extension, which was not there before

-- transhume: gate on target
SELECT 'the server does not have extension uuid-ossp' AS problem
WHERE NOT EXISTS (SELECT FROM pg_available_extensions AS e WHERE e.name = 'uuid-ossp')
UNION ALL
SELECT 'extension uuid-ossp is there already; take a new snapshot of the target'
WHERE EXISTS (SELECT FROM pg_extension AS e WHERE e.extname = 'uuid-ossp');

-- transhume: apply on target
CREATE EXTENSION "uuid-ossp" SCHEMA public;

-- transhume: revert on target
DROP EXTENSION "uuid-ossp";
