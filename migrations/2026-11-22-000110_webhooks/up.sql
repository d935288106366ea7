-- Who wants to be told of events by HTTP.
CREATE TABLE webhooks (
    id              uuid PRIMARY KEY,
    -- Its maker: it is told what this user may read.
    owner_id        uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    url             text        NOT NULL CHECK (octet_length(url) BETWEEN 1 AND 2048),
    -- Actions, or with a dot at the end all actions on a noun. Empty: all.
    events          text[]      NOT NULL,
    description     text,
    enabled         boolean     NOT NULL,
    disabled_reason text,
    -- What signs, sealed with the servers' key; and the one before, as long as it signs too.
    secret          bytea       NOT NULL,
    previous_secret bytea,
    previous_until  timestamptz,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    CHECK ((previous_secret IS NULL) = (previous_until IS NULL))
);
CREATE INDEX webhooks_created_at_idx ON webhooks (created_at, id);
CREATE INDEX webhooks_owner_idx ON webhooks (owner_id, created_at, id);
CREATE INDEX webhooks_enabled_idx ON webhooks (id) WHERE enabled;

-- What was to be delivered to whom, and what came of it. Kept for 30 days.
CREATE TABLE webhook_deliveries (
    id              uuid PRIMARY KEY,
    webhook_id      uuid        NOT NULL REFERENCES webhooks ON DELETE CASCADE,
    event_id        uuid        NOT NULL,
    action          text        COLLATE "C" NOT NULL,
    status          text        NOT NULL CHECK (status IN ('PENDING', 'DELIVERED', 'DEAD')),
    attempts        integer     NOT NULL CHECK (attempts >= 0),
    -- The last answer's status, and why the last attempt failed.
    response_status integer,
    error           text,
    created_at      timestamptz NOT NULL,
    attempted_at    timestamptz,
    next_attempt_at timestamptz
);
CREATE INDEX webhook_deliveries_webhook_idx ON webhook_deliveries (webhook_id, created_at, id);
CREATE INDEX webhook_deliveries_created_at_idx ON webhook_deliveries (created_at, id);

-- Every row of the trail is an event, whoever writes it: where anybody wants to be told, it goes into the outbox with it.
CREATE FUNCTION audit_events_into_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM webhooks WHERE enabled) THEN
        INSERT INTO outbox (id, lane, attempts, created_at, due_at) SELECT id, 'EVENT', 0, at, at FROM written;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER audit_events_into_outbox AFTER INSERT ON audit_events
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION audit_events_into_outbox();
