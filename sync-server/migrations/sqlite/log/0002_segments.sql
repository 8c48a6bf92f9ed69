-- Old parts of the log in few bytes, see `docs/format.md`. A part stands in `chunks` until its
-- segment was read back and found to hold the same, and from then on only here.
CREATE TABLE segments (
    id       INTEGER PRIMARY KEY,
    shop     INTEGER NOT NULL REFERENCES shops (number),
    -- Its first and last position.
    first    INTEGER NOT NULL,
    last     INTEGER NOT NULL,
    -- It was read back, and its chunks are gone.
    verified INTEGER NOT NULL,
    -- SHA-256 of the bytes.
    hash     BLOB    NOT NULL,
    -- The segment in brotli.
    bytes    BLOB    NOT NULL,
    UNIQUE (shop, last)
) STRICT;

CREATE INDEX segments_to_verify ON segments (verified) WHERE verified = 0;
