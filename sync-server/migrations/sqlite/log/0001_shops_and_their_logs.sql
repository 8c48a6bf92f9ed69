-- A shop. `state` is all that the judge must know before it can take the next event; `signed_ms`
-- and `signature` make the head of its log a signed one.
CREATE TABLE shops (
    number      INTEGER PRIMARY KEY,
    shop        BLOB    NOT NULL UNIQUE,
    next_device INTEGER NOT NULL,
    state       BLOB    NOT NULL,
    signed_ms   INTEGER NOT NULL,
    signature   BLOB    NOT NULL
) STRICT;

-- The log: one row for a run of events that one device sent at one time with one verdict. A table
-- with a row id, since rows are long and are read in the order in which they were written.
CREATE TABLE chunks (
    id          INTEGER PRIMARY KEY,
    shop        INTEGER NOT NULL REFERENCES shops (number),
    position    INTEGER NOT NULL,
    count       INTEGER NOT NULL,
    device      INTEGER NOT NULL,
    first_seq   INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    verdict     INTEGER NOT NULL,
    branch_of   INTEGER,
    branch_from INTEGER,
    -- The chain hash after the last event.
    end_hash    BLOB    NOT NULL,
    -- The device's signature of its chain at the end of the push that this run came in.
    signature   BLOB    NOT NULL,
    -- The events: a CBOR array of byte strings.
    events      BLOB    NOT NULL,
    UNIQUE (shop, position)
) STRICT;

-- Devices that may speak for a shop. Only the SHA-256 of a token is kept.
CREATE TABLE devices (
    token_hash BLOB    PRIMARY KEY,
    shop       INTEGER NOT NULL REFERENCES shops (number),
    device     INTEGER NOT NULL,
    UNIQUE (shop, device)
) STRICT, WITHOUT ROWID;

-- Codes that let an owner take this server for a shop, once each. Only the SHA-256 is kept.
CREATE TABLE claim_codes (
    code_hash  BLOB    PRIMARY KEY,
    created_ms INTEGER NOT NULL,
    shop       INTEGER REFERENCES shops (number)
) STRICT, WITHOUT ROWID;

-- Phones on their way into a shop.
CREATE TABLE pairings (
    secret_hash BLOB    PRIMARY KEY,
    code_hash   BLOB    NOT NULL UNIQUE,
    shop        INTEGER NOT NULL REFERENCES shops (number),
    -- In CBOR, as in events; so is the key.
    role        BLOB    NOT NULL,
    expires_ms  INTEGER NOT NULL,
    device      INTEGER,
    device_key  BLOB,
    token_hash  BLOB,
    name        TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX pairings_by_shop ON pairings (shop);
