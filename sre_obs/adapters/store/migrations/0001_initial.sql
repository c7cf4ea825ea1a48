-- A noun is one JSON text (body) beside the few columns that rows are found by.

CREATE TABLE alerts (
    fingerprint TEXT NOT NULL,
    fired_at REAL NOT NULL,
    until REAL,       -- its end, or its last update: from when retention would count
    past_since REAL,  -- NULL while current, then `until`
    body TEXT NOT NULL,
    PRIMARY KEY (fingerprint, fired_at)
);
CREATE INDEX alerts_past_since ON alerts (past_since);
CREATE INDEX alerts_fired_at ON alerts (fired_at);

CREATE TABLE groups (
    key TEXT NOT NULL PRIMARY KEY,
    body TEXT NOT NULL
);

CREATE TABLE deliveries (
    id TEXT NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL,
    group_key TEXT NOT NULL,
    finished_at REAL,  -- NULL until its state is final
    body TEXT NOT NULL
);
CREATE INDEX deliveries_number ON deliveries (number);
CREATE INDEX deliveries_group_key ON deliveries (group_key, number);
CREATE INDEX deliveries_finished_at ON deliveries (finished_at);

-- In which groups an alert was ever told: deliveries of an alert are found through it.
-- One row for each pair, not for each delivery: a group's updates repeat its alerts.
CREATE TABLE told (
    fingerprint TEXT NOT NULL,
    group_key TEXT NOT NULL,
    PRIMARY KEY (fingerprint, group_key)
) WITHOUT ROWID;

CREATE TABLE silences (
    id TEXT NOT NULL PRIMARY KEY,
    ends_at REAL,
    body TEXT NOT NULL
);

CREATE TABLE entities (
    rule TEXT NOT NULL,
    key TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (rule, key)
);

CREATE TABLE runs (
    rule TEXT NOT NULL PRIMARY KEY,
    body TEXT NOT NULL
);

CREATE TABLE audit (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at REAL,
    body TEXT NOT NULL
);
