-- Version 2. Whose work this journal holds: a name that stood for another instance before is refused.

CREATE TABLE instances (
    instance TEXT NOT NULL PRIMARY KEY,
    origin   TEXT NOT NULL
);
