-- What the runner remembers of removals, beside its journal. Every statement may be run again.
CREATE TABLE IF NOT EXISTS transhume.removal_phase (
    project text NOT NULL,
    removal text NOT NULL,
    phase integer NOT NULL CHECK (phase BETWEEN 1 AND 5),  -- 5: the restore, after phase 3
    state text NOT NULL CHECK (state IN ('running', 'done', 'undone')),
    run uuid NOT NULL REFERENCES transhume.run,
    who text NOT NULL,
    began_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    done_at timestamptz,
    evidence jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (project, removal, phase)
);

-- Written by the plans' own statements, from here on. What a column was before phase 1, in every part.
CREATE TABLE IF NOT EXISTS transhume.removal_descriptor (
    project text NOT NULL,
    removal text NOT NULL,
    column_name text NOT NULL,
    descriptor jsonb NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (project, removal, column_name)
);

-- What used the columns then.
CREATE TABLE IF NOT EXISTS transhume.removal_dependent (
    project text NOT NULL,
    removal text NOT NULL,
    effect text NOT NULL,
    kind text NOT NULL,
    identity text NOT NULL,
    PRIMARY KEY (project, removal, kind, identity)
);

-- The statements, as the server has written them, that make again what the drop takes.
CREATE TABLE IF NOT EXISTS transhume.removal_statement (
    project text NOT NULL,
    removal text NOT NULL,
    stage text NOT NULL,
    place bigint NOT NULL,
    object text NOT NULL,
    statement text NOT NULL
);

-- Writes that the guard has noted.
CREATE TABLE IF NOT EXISTS transhume.guard_hit (
    project text NOT NULL,
    removal text NOT NULL,
    operation text NOT NULL,
    role text NOT NULL,
    application text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS guard_hit_at ON transhume.guard_hit (project, removal, at);

-- How long it takes to bring rows back, measured.
CREATE TABLE IF NOT EXISTS transhume.removal_figure (
    project text NOT NULL,
    removal text NOT NULL,
    sample bigint NOT NULL,
    refill_seconds double precision NOT NULL,
    rebuild_seconds double precision NOT NULL,
    rows bigint NOT NULL,
    predicted_seconds double precision NOT NULL,
    measured_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Where a backup went before it was dropped.
CREATE TABLE IF NOT EXISTS transhume.removal_export (
    project text NOT NULL,
    removal text NOT NULL,
    run uuid NOT NULL REFERENCES transhume.run,
    file text NOT NULL,
    rows bigint NOT NULL,
    sha256 text NOT NULL,
    exported_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
