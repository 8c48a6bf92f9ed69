-- How long a shop's log is: whoever saves a shop says how long the log was that the decision was made
-- on, so that of two programs on one file only one can append at a position.
ALTER TABLE shops ADD COLUMN size INTEGER NOT NULL DEFAULT 0;

UPDATE shops SET size = max(
    coalesce((SELECT max(position + count - 1) FROM chunks WHERE chunks.shop = shops.number), 0),
    coalesce((SELECT max(last) FROM segments WHERE segments.shop = shops.number), 0));
