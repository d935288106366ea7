-- Users, teams, API keys, roles, permissions, the audit trail and stored answers.
-- Ids are UUIDv7, made by the application; times are UTC.

CREATE TABLE users (
    id            uuid PRIMARY KEY,
    username      text        NOT NULL CHECK (char_length(username) BETWEEN 1 AND 64),
    email         text        CHECK (octet_length(email) <= 254),
    name          text        CHECK (char_length(name) <= 200),
    given_name    text        CHECK (char_length(given_name) <= 200),
    family_name   text        CHECK (char_length(family_name) <= 200),
    kind          text        NOT NULL CHECK (kind IN ('PERSON', 'SERVICE')),
    role          text        NOT NULL CHECK (role IN ('ADMIN', 'AUDITOR', 'MEMBER', 'VIEWER')),
    enabled       boolean     NOT NULL,
    expires_at    timestamptz,
    comment       text        CHECK (char_length(comment) <= 2000),
    metadata      jsonb       NOT NULL,
    password_hash text,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    last_used_at  timestamptz,
    -- Words of every name and of the address; punctuation separates words.
    search        tsvector    NOT NULL GENERATED ALWAYS AS (to_tsvector('simple'::regconfig, translate(
        username || ' ' || coalesce(email, '') || ' ' || coalesce(name, '') || ' '
            || coalesce(given_name, '') || ' ' || coalesce(family_name, ''),
        '._-@+/:', '       '))) STORED
);
CREATE UNIQUE INDEX users_username_key ON users (lower(username));
CREATE UNIQUE INDEX users_email_key ON users (lower(email));
CREATE INDEX users_created_at_id_idx ON users (created_at, id);
CREATE INDEX users_username_id_idx ON users (lower(username), id);
CREATE INDEX users_search_idx ON users USING gin (search);
CREATE INDEX users_admin_idx ON users (id) WHERE role = 'ADMIN';

CREATE TABLE teams (
    id          uuid PRIMARY KEY,
    slug        text        NOT NULL CHECK (char_length(slug) BETWEEN 1 AND 64),
    name        text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    description text        CHECK (char_length(description) <= 2000),
    parent_id   uuid        REFERENCES teams ON DELETE RESTRICT CHECK (parent_id <> id),
    enabled     boolean     NOT NULL,
    metadata    jsonb       NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    search      tsvector    NOT NULL GENERATED ALWAYS AS (to_tsvector('simple'::regconfig, translate(
        slug || ' ' || name, '._-@+/:', '       '))) STORED
);
CREATE UNIQUE INDEX teams_slug_key ON teams (lower(slug));
CREATE INDEX teams_created_at_id_idx ON teams (created_at, id);
CREATE INDEX teams_slug_id_idx ON teams (lower(slug), id);
CREATE INDEX teams_parent_id_idx ON teams (parent_id, created_at, id);
CREATE INDEX teams_search_idx ON teams USING gin (search);

CREATE TABLE team_memberships (
    team_id uuid        NOT NULL REFERENCES teams ON DELETE CASCADE,
    user_id uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    role    text        NOT NULL CHECK (role IN ('ADMIN', 'MEMBER')),
    since   timestamptz NOT NULL,
    PRIMARY KEY (team_id, user_id)
);
CREATE INDEX team_memberships_team_idx ON team_memberships (team_id, since, user_id);
CREATE INDEX team_memberships_user_idx ON team_memberships (user_id, since, team_id);

CREATE TABLE api_keys (
    id                         uuid PRIMARY KEY,
    owner_id                   uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    team_id                    uuid        REFERENCES teams ON DELETE CASCADE,
    name                       text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    description                text        CHECK (char_length(description) <= 2000),
    -- SHA-256 of the secret; the secret itself is never stored.
    digest                     bytea       NOT NULL CHECK (octet_length(digest) = 32),
    prefix                     text        NOT NULL,
    previous_digest            bytea       CHECK (octet_length(previous_digest) = 32),
    previous_secret_expires_at timestamptz,
    enabled                    boolean     NOT NULL,
    disabled_reason            text        CHECK (char_length(disabled_reason) BETWEEN 1 AND 500),
    restricted                 boolean     NOT NULL,
    allowed_cidrs              text[]      NOT NULL,
    expires_at                 timestamptz,
    last_used_at               timestamptz,
    last_used_from             text,
    rotated_at                 timestamptz,
    metadata                   jsonb       NOT NULL,
    created_by                 uuid        REFERENCES users ON DELETE SET NULL,
    created_at                 timestamptz NOT NULL,
    updated_at                 timestamptz NOT NULL,
    search                     tsvector    NOT NULL GENERATED ALWAYS AS (to_tsvector('simple'::regconfig, translate(
        name || ' ' || coalesce(description, '') || ' ' || prefix, '._-@+/:', '       '))) STORED,
    CHECK ((previous_digest IS NULL) = (previous_secret_expires_at IS NULL)),
    CHECK (disabled_reason IS NULL OR NOT enabled)
);
CREATE UNIQUE INDEX api_keys_digest_key ON api_keys (digest);
CREATE UNIQUE INDEX api_keys_previous_digest_key ON api_keys (previous_digest);
CREATE UNIQUE INDEX api_keys_owner_id_name_key ON api_keys (owner_id, name);
CREATE INDEX api_keys_owner_id_idx ON api_keys (owner_id, created_at, id);
CREATE INDEX api_keys_team_id_idx ON api_keys (team_id, created_at, id);
CREATE INDEX api_keys_created_at_id_idx ON api_keys (created_at, id);
CREATE INDEX api_keys_name_id_idx ON api_keys (name, id);
CREATE INDEX api_keys_created_by_idx ON api_keys (created_by);
CREATE INDEX api_keys_expires_at_idx ON api_keys (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX api_keys_search_idx ON api_keys USING gin (search);

-- Which notices were given of a key that is going to expire: each once, however many servers give them.
CREATE TABLE api_key_notices (
    api_key_id uuid        NOT NULL REFERENCES api_keys ON DELETE CASCADE,
    expires_at timestamptz NOT NULL,
    -- Days ahead.
    days       integer     NOT NULL,
    PRIMARY KEY (api_key_id, expires_at, days)
);

CREATE TABLE roles (
    id          uuid PRIMARY KEY,
    name        text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 64),
    description text        CHECK (char_length(description) <= 2000),
    privileges  text[]      NOT NULL,
    built_in    boolean     NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE UNIQUE INDEX roles_name_key ON roles (lower(name));
CREATE INDEX roles_order_idx ON roles (built_in DESC, name, id);

CREATE TABLE permissions (
    id         uuid PRIMARY KEY,
    -- The principal: exactly one of the three.
    user_id    uuid        REFERENCES users ON DELETE CASCADE,
    team_id    uuid        REFERENCES teams ON DELETE CASCADE,
    api_key_id uuid        REFERENCES api_keys ON DELETE CASCADE,
    path       text        NOT NULL CHECK (octet_length(path) <= 512 AND path LIKE '/%'),
    role_id    uuid        NOT NULL REFERENCES roles ON DELETE RESTRICT,
    propagate  boolean     NOT NULL,
    expires_at timestamptz,
    created_by uuid        REFERENCES users ON DELETE SET NULL,
    created_at timestamptz NOT NULL,
    CHECK (num_nonnulls(user_id, team_id, api_key_id) = 1)
);
CREATE UNIQUE INDEX permissions_user_key ON permissions (user_id, path, role_id) WHERE user_id IS NOT NULL;
CREATE UNIQUE INDEX permissions_team_key ON permissions (team_id, path, role_id) WHERE team_id IS NOT NULL;
CREATE UNIQUE INDEX permissions_api_key_key ON permissions (api_key_id, path, role_id) WHERE api_key_id IS NOT NULL;
CREATE INDEX permissions_user_idx ON permissions (user_id, created_at, id);
CREATE INDEX permissions_team_idx ON permissions (team_id, created_at, id);
CREATE INDEX permissions_api_key_idx ON permissions (api_key_id, created_at, id);
CREATE INDEX permissions_created_at_id_idx ON permissions (created_at, id);
CREATE INDEX permissions_path_idx ON permissions (path text_pattern_ops, created_at, id);
CREATE INDEX permissions_role_id_idx ON permissions (role_id, created_at, id);
CREATE INDEX permissions_created_by_idx ON permissions (created_by);

CREATE TABLE audit_events (
    id           uuid PRIMARY KEY,
    at           timestamptz NOT NULL,
    -- No foreign keys: the trail outlives what it tells of. Null: Keystead itself.
    actor_id     uuid,
    actor_name   text,
    api_key_id   uuid,
    on_behalf_of text,
    -- Noun, dot, verb; compared byte by byte, so that the index serves prefixes.
    action       text        COLLATE "C" NOT NULL,
    -- A typed id: user_…, key_…, team_…
    target       text        NOT NULL,
    -- Where the target lies: whoever holds audit.read at one of these paths may read the event.
    paths        text[]      NOT NULL,
    -- The same paths and all that lie above them: what the index finds candidates by.
    within       text[]      NOT NULL,
    before       jsonb,
    after        jsonb,
    request_id   text        NOT NULL,
    ip           text,
    user_agent   text,
    -- The writing transaction: readers that follow the trail read up to the oldest one still open, and miss nothing.
    xid          xid8        NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX audit_events_at_id_idx ON audit_events (at, id);
CREATE INDEX audit_events_target_idx ON audit_events (target, at, id);
CREATE INDEX audit_events_actor_idx ON audit_events (actor_id, at, id);
CREATE INDEX audit_events_api_key_idx ON audit_events (api_key_id, at, id) WHERE api_key_id IS NOT NULL;
CREATE INDEX audit_events_action_idx ON audit_events (action, at, id);
CREATE INDEX audit_events_request_idx ON audit_events USING hash (request_id);
CREATE INDEX audit_events_within_idx ON audit_events USING gin (within);
CREATE INDEX audit_events_xid_idx ON audit_events (xid, id);

CREATE FUNCTION audit_events_are_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit events are never changed or deleted' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_events_are_immutable BEFORE UPDATE OR DELETE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION audit_events_are_immutable();
CREATE TRIGGER audit_events_are_not_truncated BEFORE TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION audit_events_are_immutable();

CREATE TABLE idempotency_keys (
    actor_id    uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    key         text        NOT NULL CHECK (octet_length(key) BETWEEN 1 AND 255),
    -- SHA-256 of the request that made the answer.
    fingerprint bytea       NOT NULL CHECK (octet_length(fingerprint) = 32),
    -- The answer, encrypted with a key that only the caller's credential yields: it may hold a new secret.
    answer      bytea,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (actor_id, key)
);
CREATE INDEX idempotency_keys_created_at_idx ON idempotency_keys (created_at);

-- Servers that answer about keys from memory: a row for each connection that listens for changes. No times decide: whoever waits for a
-- holder watches whether it goes on renewing.
CREATE TABLE leases (
    id        uuid PRIMARY KEY,
    -- The same for all leases of a process, one after the other.
    process   uuid        NOT NULL,
    renewals  bigint      NOT NULL,
    length_ms bigint      NOT NULL CHECK (length_ms BETWEEN 1 AND 600000),
    -- The machine and the process, for people.
    holder    text        NOT NULL,
    began_at  timestamptz NOT NULL
);
