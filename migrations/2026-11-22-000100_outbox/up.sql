-- What is to be delivered once the transaction that wrote it is committed. Any number of servers take from it: whoever claims a row
-- moves due_at to the end of its claim, so that another takes it up if that server dies.
CREATE TABLE outbox (
    id         uuid PRIMARY KEY,
    lane       text        NOT NULL CHECK (lane IN ('MAIL', 'EVENT', 'WEBHOOK', 'LINK')),
    -- A mail, sealed with the servers' key: it may hold a link that lets people in; or the address to which such a link is wanted. An event is the row of the trail with this id, a
    -- message to a webhook the delivery with this id.
    payload    bytea,
    -- To which webhook, so that one that is slow does not take all workers.
    subject    uuid,
    -- How often it was claimed: also tells a claim from the one before.
    attempts   integer     NOT NULL CHECK (attempts >= 0),
    created_at timestamptz NOT NULL,
    -- When it is tried next, or until when it is claimed. Null: it was given up.
    due_at     timestamptz,
    -- When it was given up.
    dead_at    timestamptz,
    -- Why the last attempt failed.
    error      text,
    CHECK ((payload IS NOT NULL) = (lane IN ('MAIL', 'LINK'))),
    CHECK ((subject IS NOT NULL) = (lane = 'WEBHOOK')),
    CHECK ((due_at IS NULL) = (dead_at IS NOT NULL))
);
CREATE INDEX outbox_due_idx ON outbox (lane, due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX outbox_dead_idx ON outbox (dead_at) WHERE dead_at IS NOT NULL;
