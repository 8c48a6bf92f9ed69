-- Keys that seal personal data, in a file of their own: a backup of the log must not hold them.
-- `number` says in which order a shop's phones learn of them. A destroyed key has no bytes.
CREATE TABLE keys (
    shop   BLOB    NOT NULL,
    number INTEGER NOT NULL,
    id     BLOB    NOT NULL,
    key    BLOB,
    PRIMARY KEY (shop, number),
    UNIQUE (shop, id)
) STRICT, WITHOUT ROWID;
