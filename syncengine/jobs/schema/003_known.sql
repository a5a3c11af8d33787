-- Version 3. What was learned about an instance and holds beyond one run, as JSON.

CREATE TABLE known (
    instance TEXT NOT NULL,
    name     TEXT NOT NULL,
    value    TEXT NOT NULL,
    PRIMARY KEY (instance, name)
);
