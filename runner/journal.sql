-- What the runner remembers, in the database that it changes. Every statement may be run again.
CREATE SCHEMA IF NOT EXISTS transhume;

CREATE TABLE IF NOT EXISTS transhume.journal (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    format integer NOT NULL
);
INSERT INTO transhume.journal (format) VALUES (3) ON CONFLICT DO NOTHING;

-- One carrying-out of a plan. `epoch` goes up with every runner that takes the run over; each change locks this row
-- FOR SHARE under its own epoch, so that a runner that was taken for dead can write nothing any more.
CREATE TABLE IF NOT EXISTS transhume.run (
    run uuid PRIMARY KEY,
    project text NOT NULL,
    plan text NOT NULL,                  -- sha256 of plan.yaml
    specs text NOT NULL,
    runner text NOT NULL,                -- version
    source text NOT NULL,                -- system identifier/oid/name of the databases
    target text NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'done', 'rolling back', 'rolled back')),
    epoch bigint NOT NULL DEFAULT 0,
    owner text NOT NULL DEFAULT '',
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    peak_memory bigint                   -- bytes that the runner and its workers held at most, in any of its steps
);
CREATE UNIQUE INDEX IF NOT EXISTS run_one_unfinished
    ON transhume.run (project) WHERE state IN ('open', 'rolling back');

-- What a run's lanes read before each chunk. `wanted` is asked from another terminal; `hold` is the runner's own reason
-- to pause. Not columns of transhume.run: who writes them would wait for every chunk in flight, which lock its row.
CREATE TABLE IF NOT EXISTS transhume.control (
    run uuid PRIMARY KEY REFERENCES transhume.run,
    wanted text NOT NULL DEFAULT 'go' CHECK (wanted IN ('go', 'pause', 'stop')),
    hold text,
    rate double precision,               -- rows a second that each lane may move; NULL: no limit
    by_whom text NOT NULL DEFAULT '',
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE IF NOT EXISTS transhume.step (
    run uuid NOT NULL REFERENCES transhume.run,
    step text NOT NULL,
    state text NOT NULL CHECK (state IN ('running', 'failed', 'done', 'reverted')),
    size bigint,                         -- rows of the source, where the step moves rows
    error text,
    epoch bigint NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    rows_per_second double precision,    -- while the last runner was at it, where the step moves rows
    peak_memory bigint,                  -- bytes that the runner and its workers held at most meanwhile
    PRIMARY KEY (run, step)
);

-- What of a step was committed: its apply, each of its builds. `rows` are those that a reconciliation took away.
CREATE TABLE IF NOT EXISTS transhume.part (
    run uuid NOT NULL,
    step text NOT NULL,
    part text NOT NULL,
    rows bigint NOT NULL DEFAULT 0,
    epoch bigint NOT NULL,
    committed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run, step, part),
    FOREIGN KEY (run, step) REFERENCES transhume.step
);

-- The ranges that a step's source was split into, once: from behind one keyset up to another, NULL for no bound.
CREATE TABLE IF NOT EXISTS transhume.range (
    run uuid NOT NULL,
    step text NOT NULL,
    range integer NOT NULL,
    after text[],
    upto text[],
    PRIMARY KEY (run, step, range),
    FOREIGN KEY (run, step) REFERENCES transhume.step
);

-- The checkpoints: one row for each chunk, committed together with its rows. Within a range they have no gap.
CREATE TABLE IF NOT EXISTS transhume.chunk (
    run uuid NOT NULL,
    step text NOT NULL,
    chunk bigint NOT NULL,               -- 1,000,000 * the range's number, and counted on from there
    range integer NOT NULL GENERATED ALWAYS AS (chunk / 1000000) STORED,
    after text[],                        -- the keyset that it starts after, and the one that it ends with
    upto text[],
    loaded bigint,
    filtered bigint,
    rejected bigint,
    nulled bigint,
    bytes bigint,
    seconds double precision,
    epoch bigint NOT NULL,
    committed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run, step, chunk),
    FOREIGN KEY (run, step) REFERENCES transhume.step,
    -- A load that starts anew has other ranges: who is still at one of the old ones can claim nothing any more.
    CONSTRAINT chunk_range FOREIGN KEY (run, step, range) REFERENCES transhume.range
);

-- Rows that were set aside. Written by the plan's own statements too (docs/plan.md).
CREATE TABLE IF NOT EXISTS transhume.reject (
    run uuid NOT NULL,
    step text NOT NULL,
    chunk bigint,
    table_id text NOT NULL,
    source text NOT NULL,
    key text[] NOT NULL,
    raw jsonb,
    target_column text,
    reason text NOT NULL,
    sqlstate text NOT NULL,
    action text NOT NULL CHECK (action IN (
        'rejected', 'reconciled', 'nulled',
        -- of a hierarchy: moved with another parent, or as a placeholder; `left`: a placeholder that did not move
        'rooted', 'adopted', 'broken', 'flattened', 'placeholder', 'left',
        'chosen' -- the first of several parents
    )),
    rejected_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- Two hashes of the key, 128 bits, in place of it: an index takes no entry longer than about 2.7 kB.
CREATE UNIQUE INDEX IF NOT EXISTS reject_once
    ON transhume.reject (
        run, table_id, action, hash_array_extended(key, 0), hash_array_extended(key, 1), coalesce(target_column, '')
    );

-- The audit trail, only ever added to: `hash` covers the row and the hash of the row before it in the same run.
CREATE TABLE IF NOT EXISTS transhume.event (
    event bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run uuid NOT NULL REFERENCES transhume.run,
    at timestamptz NOT NULL,
    who text NOT NULL,
    what text NOT NULL,
    step text NOT NULL,
    detail text NOT NULL,
    before text NOT NULL,
    hash text NOT NULL
);
CREATE INDEX IF NOT EXISTS event_run ON transhume.event (run, event);
