-- Version 1. Times are RFC 3339 text in UTC with microseconds, so that their order is the text's order; JSON is text.

CREATE TABLE jobs (
    instance   TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    finished   INTEGER NOT NULL,  -- 1 when the state is an end in the table of moves of its kind
    group_name TEXT    NOT NULL,
    facts      TEXT    NOT NULL,
    attempt    INTEGER NOT NULL,
    priority   INTEGER NOT NULL,
    place      INTEGER NOT NULL,
    after_ids  TEXT    NOT NULL,
    epoch      INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    created_at TEXT    NOT NULL,
    updated_at TEXT    NOT NULL,
    PRIMARY KEY (instance, id)
);

-- What each start asks for: everything that is not finished.
CREATE INDEX jobs_unfinished ON jobs (instance, kind, group_name) WHERE finished = 0;

CREATE TABLE history (
    instance     TEXT    NOT NULL,
    job_id       TEXT    NOT NULL,
    seq          INTEGER NOT NULL,
    event        TEXT    NOT NULL,
    state_before TEXT,
    state_after  TEXT    NOT NULL,
    epoch        INTEGER NOT NULL,
    at           TEXT    NOT NULL,
    PRIMARY KEY (instance, job_id, seq),
    FOREIGN KEY (instance, job_id) REFERENCES jobs (instance, id)
);

CREATE TABLE runs (
    instance   TEXT    NOT NULL,
    id         INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    detail     TEXT    NOT NULL,
    started_at TEXT    NOT NULL,
    ended_at   TEXT,
    outcome    TEXT,
    report     TEXT    NOT NULL,
    PRIMARY KEY (instance, id)
);

-- A free lease keeps its row, so that epochs only grow.
CREATE TABLE leases (
    instance    TEXT    NOT NULL,
    work        TEXT    NOT NULL,
    epoch       INTEGER NOT NULL,
    holder      TEXT,
    since       TEXT    NOT NULL,
    renewed_at  TEXT    NOT NULL,
    ttl_seconds REAL    NOT NULL,
    PRIMARY KEY (instance, work)
);
