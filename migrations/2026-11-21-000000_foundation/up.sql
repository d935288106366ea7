-- Users, teams, API keys, roles, permissions, limits, the audit trail and stored answers.
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
-- Room beside each row for the next version of it: when it was last used is written often, and no index has it.
) WITH (fillfactor = 90);
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
-- Room beside each row for the next version of it: when it was last used is written often, and no index has it.
) WITH (fillfactor = 90);
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

-- What a key, a user, a team, each member of a team or one member within a team may use.
CREATE TABLE limits (
    id                         uuid PRIMARY KEY,
    -- Whose they are, as one word: see src/limits/model.rs.
    subject                    text    NOT NULL UNIQUE,
    api_key_id                 uuid    REFERENCES api_keys ON DELETE CASCADE,
    -- With a team: that member within it.
    user_id                    uuid    REFERENCES users ON DELETE CASCADE,
    team_id                    uuid    REFERENCES teams ON DELETE CASCADE,
    -- Of the team's members each for itself, not of the team.
    each_member                boolean NOT NULL CHECK (NOT each_member OR (team_id IS NOT NULL AND user_id IS NULL)),
    requests_per_minute        bigint  CHECK (requests_per_minute >= 0),
    tokens_per_minute          bigint  CHECK (tokens_per_minute >= 0),
    max_parallel               bigint  CHECK (max_parallel >= 0),
    -- What holds instead, if it is more, until a moment.
    raised_requests_per_minute bigint  CHECK (raised_requests_per_minute >= 0),
    raised_tokens_per_minute   bigint  CHECK (raised_tokens_per_minute >= 0),
    raised_max_parallel        bigint  CHECK (raised_max_parallel >= 0),
    raised_until               timestamptz,
    CHECK ((api_key_id IS NULL) <> (user_id IS NULL AND team_id IS NULL)),
    FOREIGN KEY (team_id, user_id) REFERENCES team_memberships ON DELETE CASCADE
);
CREATE INDEX limits_api_key_id_idx ON limits (api_key_id) WHERE api_key_id IS NOT NULL;
CREATE INDEX limits_user_id_idx ON limits (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX limits_team_id_idx ON limits (team_id, user_id) WHERE team_id IS NOT NULL;

CREATE TABLE budgets (
    id                 uuid PRIMARY KEY,
    limit_id           uuid        NOT NULL REFERENCES limits ON DELETE CASCADE,
    name               text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 64),
    -- Money is in millionths of a US dollar.
    max_micros         bigint      NOT NULL CHECK (max_micros >= 0),
    soft_micros        bigint      CHECK (soft_micros >= 0),
    -- No window: a lifetime.
    window_count       integer     CHECK (window_count > 0),
    window_unit        text        CHECK (window_unit IN ('HOUR', 'DAY', 'WEEK', 'MONTH', 'YEAR')),
    window_anchor      timestamptz,
    window_zone        text,
    include_past_spend boolean     NOT NULL,
    armed_at           timestamptz NOT NULL,
    raised_max_micros  bigint      CHECK (raised_max_micros >= 0),
    raised_until       timestamptz,
    CHECK (num_nonnulls(window_count, window_unit, window_anchor, window_zone) IN (0, 4)),
    CHECK ((raised_max_micros IS NULL) = (raised_until IS NULL)),
    UNIQUE (limit_id, name)
);

-- What holds for all: what new users and new keys have, and what keys have at most that others than administrators make or change.
CREATE TABLE limit_policies (
    name                 text   PRIMARY KEY CHECK (name IN ('USER_DEFAULTS', 'API_KEY_DEFAULTS', 'API_KEY_BOUNDS')),
    requests_per_minute  bigint CHECK (requests_per_minute >= 0),
    tokens_per_minute    bigint CHECK (tokens_per_minute >= 0),
    max_parallel         bigint CHECK (max_parallel >= 0),
    -- A list of what a budget has in its own table.
    budgets              jsonb  NOT NULL CHECK (jsonb_typeof(budgets) = 'array')
);

-- What is used: of limits by the minute one row, of each budget one. Of limits for each member a row for each of them. Updates of a row
-- stay on its page.
CREATE TABLE limit_counters (
    id        uuid PRIMARY KEY,
    limit_id  uuid        NOT NULL REFERENCES limits ON DELETE CASCADE,
    budget_id uuid        REFERENCES budgets ON DELETE CASCADE,
    user_id   uuid        REFERENCES users ON DELETE CASCADE,
    -- Of a budget: what was spent and is reserved from this moment on, which lies in the window that was the last to be used.
    since     timestamptz NOT NULL,
    spent     bigint      NOT NULL,
    reserved  bigint      NOT NULL,
    -- Of the others: what was used in this minute, and how many reservations are open.
    minute    timestamptz NOT NULL,
    requests  bigint      NOT NULL,
    tokens    bigint      NOT NULL,
    parallel  bigint      NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX limit_counters_limit_id_idx ON limit_counters (limit_id, user_id);
CREATE INDEX limit_counters_budget_id_idx ON limit_counters (budget_id) WHERE budget_id IS NOT NULL;
CREATE INDEX limit_counters_user_id_idx ON limit_counters (user_id) WHERE user_id IS NOT NULL;

-- What is reserved and not settled yet.
CREATE TABLE reservations (
    id         uuid PRIMARY KEY,
    -- The user who asked: it alone may settle.
    asker_id   uuid,
    -- For whom. No foreign keys: what was spent outlives who spent it.
    api_key_id uuid        NOT NULL,
    user_id    uuid        NOT NULL,
    team_id    uuid,
    at         timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    -- Where it is reserved.
    counters   uuid[]      NOT NULL,
    requests   bigint      NOT NULL,
    tokens     bigint      NOT NULL,
    micros     bigint      NOT NULL,
    -- The path that was asked about.
    resource   text        COLLATE "C" NOT NULL
);
CREATE INDEX reservations_expires_at_idx ON reservations (expires_at);

-- What was used and what it cost, by the month of `at`: the truth that counters and rollups add up. A month's table is made by
-- usage_partition, ahead or when it is first needed; it has a unique index on the id, by which a repeat is known.
CREATE TABLE usage_events (
    -- A reservation's, or made of the id that the client gave it.
    id            uuid        NOT NULL,
    -- When it was used, or reserved: it counts in the windows that this moment lies in.
    at            timestamptz NOT NULL,
    recorded_at   timestamptz NOT NULL,
    -- The user who told it.
    asker_id      uuid,
    -- Who used it. No foreign keys: what was spent outlives who spent it.
    api_key_id    uuid,
    user_id       uuid        NOT NULL,
    team_id       uuid,
    requests      bigint      NOT NULL,
    -- Where it is told what went in and what came out, their sum. What was cached is a part of what went in.
    tokens        bigint      NOT NULL,
    tokens_in     bigint      NOT NULL,
    tokens_out    bigint      NOT NULL,
    tokens_cached bigint      NOT NULL,
    -- Millionths of a US dollar.
    micros        bigint      NOT NULL,
    resource      text        COLLATE "C" NOT NULL,
    tags          text[]      NOT NULL,
    -- Where it was counted.
    counters      uuid[]      NOT NULL,
    -- Until a reservation is settled only its end has charged or released it: its true cost may still be told. What is released counts
    -- nothing.
    state         text        NOT NULL CHECK (state IN ('SETTLED', 'CHARGED', 'RELEASED'))
) PARTITION BY RANGE (at);
CREATE INDEX usage_events_at_idx ON usage_events (at);

-- Makes the table of the month (in UTC) that contains the moment, unless there is one. Two who make it wait for each other; whoever only
-- adds events waits for nobody. Called before anything else is locked, so that nobody who waits here is waited for.
CREATE FUNCTION usage_partition(moment timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    month timestamp := date_trunc('month', moment AT TIME ZONE 'UTC');
    name  text := 'usage_events_' || to_char(month, 'YYYY_MM');
BEGIN
    IF to_regclass(name) IS NOT NULL THEN
        RETURN;
    END IF;
    LOCK TABLE usage_events IN SHARE UPDATE EXCLUSIVE MODE;
    IF to_regclass(name) IS NOT NULL THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE usage_events INCLUDING ALL)', name);
    EXECUTE format('CREATE UNIQUE INDEX %I ON %I (id)', name || '_id_key', name);
    EXECUTE format('ALTER TABLE usage_events ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name,
        month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
END
$$;
-- Drops the tables of months (in UTC) that have ended before that moment; their sums stay. One server at a time does it, and never waits
-- long for those who read and write, who would wait behind it. Answers how many there were.
CREATE FUNCTION usage_expire(before timestamptz) RETURNS bigint LANGUAGE plpgsql SET lock_timeout = '1s' AS $$
DECLARE
    name text;
    gone bigint := 0;
BEGIN
    IF NOT pg_try_advisory_xact_lock(x'6b730003'::bigint) THEN
        RETURN 0;
    END IF;
    FOR name IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'usage_events'::regclass
        AND to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month' <= before AT TIME ZONE 'UTC' ORDER BY 1
    LOOP
        EXECUTE format('DROP TABLE %I', name);
        gone := gone + 1;
    END LOOP;
    RETURN gone;
END
$$;
-- This month and the two that follow.
SELECT usage_partition(now() + n * interval '1 month') FROM generate_series(0, 2) AS n;

-- Sums of the events that count, per quarter of an hour: every zone's hours and days begin at one. Written in the events' transaction, in
-- the order of the key.
CREATE TABLE usage_quarters (
    slot          timestamptz NOT NULL,
    user_id       uuid        NOT NULL,
    api_key_id    uuid,
    team_id       uuid,
    resource      text        COLLATE "C" NOT NULL,
    -- Empty: of all events; else of those that carry it.
    tag           text        COLLATE "C" NOT NULL,
    events        bigint      NOT NULL,
    requests      bigint      NOT NULL,
    tokens        bigint      NOT NULL,
    tokens_in     bigint      NOT NULL,
    tokens_out    bigint      NOT NULL,
    tokens_cached bigint      NOT NULL,
    micros        bigint      NOT NULL
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX usage_quarters_key ON usage_quarters (slot, user_id, api_key_id, team_id, resource, tag) NULLS NOT DISTINCT;
CREATE INDEX usage_quarters_user_idx ON usage_quarters (user_id, slot);
CREATE INDEX usage_quarters_api_key_idx ON usage_quarters (api_key_id, slot) WHERE api_key_id IS NOT NULL;
CREATE INDEX usage_quarters_team_idx ON usage_quarters (team_id, slot) WHERE team_id IS NOT NULL;

-- The same per day of UTC.
CREATE TABLE usage_days (LIKE usage_quarters) WITH (fillfactor = 70);
CREATE UNIQUE INDEX usage_days_key ON usage_days (slot, user_id, api_key_id, team_id, resource, tag) NULLS NOT DISTINCT;
CREATE INDEX usage_days_user_idx ON usage_days (user_id, slot);
CREATE INDEX usage_days_api_key_idx ON usage_days (api_key_id, slot) WHERE api_key_id IS NOT NULL;
CREATE INDEX usage_days_team_idx ON usage_days (team_id, slot) WHERE team_id IS NOT NULL;

-- The same per month of UTC.
CREATE TABLE usage_months (LIKE usage_quarters) WITH (fillfactor = 70);
CREATE UNIQUE INDEX usage_months_key ON usage_months (slot, user_id, api_key_id, team_id, resource, tag) NULLS NOT DISTINCT;
CREATE INDEX usage_months_user_idx ON usage_months (user_id, slot);
CREATE INDEX usage_months_api_key_idx ON usage_months (api_key_id, slot) WHERE api_key_id IS NOT NULL;
CREATE INDEX usage_months_team_idx ON usage_months (team_id, slot) WHERE team_id IS NOT NULL;

-- The same of each team by itself, and of what belongs to none: few rows that lie together, out of which a year is read.
CREATE TABLE usage_team_quarters (
    slot          timestamptz NOT NULL,
    team_id       uuid,
    resource      text        COLLATE "C" NOT NULL,
    tag           text        COLLATE "C" NOT NULL,
    events        bigint      NOT NULL,
    requests      bigint      NOT NULL,
    tokens        bigint      NOT NULL,
    tokens_in     bigint      NOT NULL,
    tokens_out    bigint      NOT NULL,
    tokens_cached bigint      NOT NULL,
    micros        bigint      NOT NULL
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX usage_team_quarters_key ON usage_team_quarters (team_id, slot, tag, resource) NULLS NOT DISTINCT;
CREATE INDEX usage_team_quarters_slot_idx ON usage_team_quarters (slot);

CREATE TABLE usage_team_days (LIKE usage_team_quarters) WITH (fillfactor = 70);
CREATE UNIQUE INDEX usage_team_days_key ON usage_team_days (team_id, slot, tag, resource) NULLS NOT DISTINCT;
CREATE INDEX usage_team_days_slot_idx ON usage_team_days (slot);

CREATE TABLE usage_team_months (LIKE usage_team_quarters) WITH (fillfactor = 70);
CREATE UNIQUE INDEX usage_team_months_key ON usage_team_months (team_id, slot, tag, resource) NULLS NOT DISTINCT;
CREATE INDEX usage_team_months_slot_idx ON usage_team_months (slot);

-- Which amounts of a budget were reached, in which of its windows: each once, whoever reaches it. Keystead tells of it soon afterwards.
CREATE TABLE budget_notices (
    counter_id uuid        NOT NULL REFERENCES limit_counters ON DELETE CASCADE,
    -- The window: see limit_counters.
    since      timestamptz NOT NULL,
    kind       text        NOT NULL CHECK (kind IN ('SOFT', 'EXHAUSTED')),
    -- The amount: another one has a notice of its own.
    micros     bigint      NOT NULL,
    told       boolean     NOT NULL,
    PRIMARY KEY (counter_id, since, kind, micros)
);
CREATE INDEX budget_notices_untold_idx ON budget_notices (counter_id, since) WHERE NOT told;

-- Notes which amounts of their budgets these counters have reached. Whoever adds to what is spent calls it, with the counters locked.
CREATE FUNCTION limits_notice(counters uuid[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO budget_notices (counter_id, since, kind, micros, told)
        SELECT c.id, c.since, n.kind, n.micros, false
        FROM limit_counters c JOIN budgets b ON b.id = c.budget_id
        CROSS JOIN LATERAL (VALUES ('SOFT', b.soft_micros), ('EXHAUSTED', b.max_micros), ('EXHAUSTED', b.raised_max_micros)) AS n (kind, micros)
        WHERE c.id = ANY(counters) AND c.spent > 0 AND c.spent >= n.micros ORDER BY c.id, n.kind, n.micros
    ON CONFLICT DO NOTHING
$$;

-- Adds these sums to the rollups: to each in the order of its keys.
CREATE FUNCTION usage_roll(lines usage_quarters[]) RETURNS void LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    sums usage_quarters[] := ARRAY(
        SELECT ROW(slot, user_id, api_key_id, team_id, resource, tag, sum(events), sum(requests), sum(tokens),
            sum(tokens_in), sum(tokens_out), sum(tokens_cached), sum(micros))::usage_quarters
        FROM unnest(lines) GROUP BY slot, user_id, api_key_id, team_id, resource, tag
        ORDER BY slot, user_id, api_key_id, team_id, resource, tag);
BEGIN
    INSERT INTO usage_quarters AS u SELECT * FROM unnest(sums)
        ON CONFLICT (slot, user_id, api_key_id, team_id, resource, tag) DO UPDATE SET events = u.events + excluded.events,
            requests = u.requests + excluded.requests, tokens = u.tokens + excluded.tokens, tokens_in = u.tokens_in + excluded.tokens_in,
            tokens_out = u.tokens_out + excluded.tokens_out, tokens_cached = u.tokens_cached + excluded.tokens_cached,
            micros = u.micros + excluded.micros;
    INSERT INTO usage_days AS u SELECT date_trunc('day', slot, 'UTC'), user_id, api_key_id, team_id, resource, tag,
            sum(events), sum(requests), sum(tokens), sum(tokens_in), sum(tokens_out), sum(tokens_cached), sum(micros)
        FROM unnest(sums)
        GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
        ON CONFLICT (slot, user_id, api_key_id, team_id, resource, tag) DO UPDATE SET events = u.events + excluded.events,
            requests = u.requests + excluded.requests, tokens = u.tokens + excluded.tokens, tokens_in = u.tokens_in + excluded.tokens_in,
            tokens_out = u.tokens_out + excluded.tokens_out, tokens_cached = u.tokens_cached + excluded.tokens_cached,
            micros = u.micros + excluded.micros;
    INSERT INTO usage_months AS u SELECT date_trunc('month', slot, 'UTC'), user_id, api_key_id, team_id, resource, tag,
            sum(events), sum(requests), sum(tokens), sum(tokens_in), sum(tokens_out), sum(tokens_cached), sum(micros)
        FROM unnest(sums)
        GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
        ON CONFLICT (slot, user_id, api_key_id, team_id, resource, tag) DO UPDATE SET events = u.events + excluded.events,
            requests = u.requests + excluded.requests, tokens = u.tokens + excluded.tokens, tokens_in = u.tokens_in + excluded.tokens_in,
            tokens_out = u.tokens_out + excluded.tokens_out, tokens_cached = u.tokens_cached + excluded.tokens_cached,
            micros = u.micros + excluded.micros;
    INSERT INTO usage_team_quarters AS u SELECT slot, team_id, resource, tag,
            sum(events), sum(requests), sum(tokens), sum(tokens_in), sum(tokens_out), sum(tokens_cached), sum(micros)
        FROM unnest(sums)
        GROUP BY 1, 2, 3, 4 ORDER BY 2, 1, 4, 3
        ON CONFLICT (team_id, slot, tag, resource) DO UPDATE SET events = u.events + excluded.events,
            requests = u.requests + excluded.requests, tokens = u.tokens + excluded.tokens, tokens_in = u.tokens_in + excluded.tokens_in,
            tokens_out = u.tokens_out + excluded.tokens_out, tokens_cached = u.tokens_cached + excluded.tokens_cached,
            micros = u.micros + excluded.micros;
    INSERT INTO usage_team_days AS u SELECT date_trunc('day', slot, 'UTC'), team_id, resource, tag,
            sum(events), sum(requests), sum(tokens), sum(tokens_in), sum(tokens_out), sum(tokens_cached), sum(micros)
        FROM unnest(sums)
        GROUP BY 1, 2, 3, 4 ORDER BY 2, 1, 4, 3
        ON CONFLICT (team_id, slot, tag, resource) DO UPDATE SET events = u.events + excluded.events,
            requests = u.requests + excluded.requests, tokens = u.tokens + excluded.tokens, tokens_in = u.tokens_in + excluded.tokens_in,
            tokens_out = u.tokens_out + excluded.tokens_out, tokens_cached = u.tokens_cached + excluded.tokens_cached,
            micros = u.micros + excluded.micros;
    INSERT INTO usage_team_months AS u SELECT date_trunc('month', slot, 'UTC'), team_id, resource, tag,
            sum(events), sum(requests), sum(tokens), sum(tokens_in), sum(tokens_out), sum(tokens_cached), sum(micros)
        FROM unnest(sums)
        GROUP BY 1, 2, 3, 4 ORDER BY 2, 1, 4, 3
        ON CONFLICT (team_id, slot, tag, resource) DO UPDATE SET events = u.events + excluded.events,
            requests = u.requests + excluded.requests, tokens = u.tokens + excluded.tokens, tokens_in = u.tokens_in + excluded.tokens_in,
            tokens_out = u.tokens_out + excluded.tokens_out, tokens_cached = u.tokens_cached + excluded.tokens_cached,
            micros = u.micros + excluded.micros;
END
$$;

-- A reservation that ends, or what one was at its end that is told its true cost: what counters hold of it (`held_`), and what it is now.
CREATE TYPE limits_ending AS (id uuid, at timestamptz, asker_id uuid, api_key_id uuid, user_id uuid, team_id uuid, resource text,
    tags text[], counters uuid[], is_open boolean, is_charged boolean, held_requests bigint, held_tokens bigint, held_micros bigint,
    requests bigint, tokens bigint, tokens_in bigint, tokens_out bigint, tokens_cached bigint, micros bigint);

-- Makes usage events of these, which the caller has locked, adds them to the rollups, and counts them. The counters that this touches, and
-- those that are `wanted`, stay locked until the transaction ends. Whoever locks takes reservations, events, rollups and counters in this
-- order, each in the order of their ids or keys: so no two wait for each other in a circle.
CREATE FUNCTION limits_end(due limits_ending[], ends_as text, present timestamptz, wanted uuid[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    counts boolean := ends_as <> 'RELEASED';
BEGIN
    IF due <> '{}' THEN
        PERFORM usage_partition(m.month)
            FROM (SELECT DISTINCT date_trunc('month', d.at, 'UTC') AS month FROM unnest(due) AS d WHERE d.is_open) m;
        INSERT INTO usage_events (id, at, recorded_at, asker_id, api_key_id, user_id, team_id, requests, tokens, tokens_in, tokens_out,
                tokens_cached, micros, resource, tags, counters, state)
            SELECT d.id, d.at, present, d.asker_id, d.api_key_id, d.user_id, d.team_id, d.requests, d.tokens, d.tokens_in, d.tokens_out,
                d.tokens_cached, d.micros, d.resource, d.tags, d.counters, ends_as
            FROM unnest(due) AS d WHERE d.is_open;
        IF EXISTS (SELECT 1 FROM unnest(due) AS d WHERE NOT d.is_open) THEN
            UPDATE usage_events h SET requests = d.requests, tokens = d.tokens, tokens_in = d.tokens_in, tokens_out = d.tokens_out,
                    tokens_cached = d.tokens_cached, micros = d.micros, tags = d.tags, recorded_at = present, state = ends_as
                FROM unnest(due) AS d WHERE NOT d.is_open AND h.id = d.id AND h.at = d.at;
        END IF;
        IF counts THEN
            -- What was charged at its end is in the rollups, without tags; the rest is new there.
            PERFORM usage_roll(ARRAY(
                SELECT ROW(date_bin('15 minutes', d.at, 'epoch'), d.user_id, d.api_key_id, d.team_id, d.resource, t.tag,
                    1 - old.n, d.requests - old.n * d.held_requests, d.tokens - old.n * d.held_tokens, d.tokens_in, d.tokens_out,
                    d.tokens_cached, d.micros - old.n * d.held_micros)::usage_quarters
                FROM unnest(due) AS d CROSS JOIN unnest(array_append(d.tags, '')) AS t (tag)
                CROSS JOIN LATERAL (SELECT (d.is_charged AND t.tag = '')::integer AS n) AS old));
        END IF;
        wanted := wanted || ARRAY(SELECT DISTINCT unnest(d.counters) FROM unnest(due) AS d);
    END IF;
    PERFORM 1 FROM limit_counters k WHERE k.id = ANY(wanted) ORDER BY k.id FOR NO KEY UPDATE;
    IF due = '{}' THEN
        RETURN;
    END IF;
    UPDATE limit_counters c SET reserved = c.reserved - d.released, spent = c.spent + d.spent, parallel = c.parallel - d.closed,
        requests = c.requests + d.requests, tokens = c.tokens + d.tokens
    FROM (
        SELECT k.id,
            coalesce(sum(e.held_micros) FILTER (WHERE k.budget_id IS NOT NULL AND e.at >= k.since AND e.is_open), 0) AS released,
            coalesce(sum(CASE WHEN counts THEN e.micros ELSE 0 END - CASE WHEN e.is_open THEN 0 ELSE e.held_micros END)
                FILTER (WHERE k.budget_id IS NOT NULL AND e.at >= k.since), 0) AS spent,
            count(*) FILTER (WHERE k.budget_id IS NULL AND e.is_open) AS closed,
            coalesce(sum(CASE WHEN counts THEN e.requests ELSE 0 END - e.held_requests)
                FILTER (WHERE k.budget_id IS NULL AND date_trunc('minute', e.at, 'UTC') = k.minute), 0) AS requests,
            coalesce(sum(CASE WHEN counts THEN e.tokens ELSE 0 END - e.held_tokens)
                FILTER (WHERE k.budget_id IS NULL AND date_trunc('minute', e.at, 'UTC') = k.minute), 0) AS tokens
        FROM unnest(due) AS e CROSS JOIN unnest(e.counters) AS u (id) JOIN limit_counters k ON k.id = u.id GROUP BY k.id
    ) d WHERE c.id = d.id;
    DELETE FROM reservations r WHERE r.id = ANY(ARRAY(SELECT d.id FROM unnest(due) AS d WHERE d.is_open));
    IF counts THEN
        PERFORM limits_notice(wanted);
    END IF;
END
$$;

-- What has run out without being settled is charged or released, exactly as of `at`: the oldest first and 2,000 at once, so that however much
-- has run out, nobody waits for all of it; answers how much it was. And these counters, with those that this touches, are locked until the
-- transaction ends.
CREATE FUNCTION limits_lapse(at timestamptz, charging boolean, wanted uuid[]) RETURNS bigint LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    due limits_ending[];
BEGIN
    SELECT coalesce(array_agg(ROW(r.id, r.at, r.asker_id, r.api_key_id, r.user_id, r.team_id, r.resource, '{}', r.counters, true, false,
            r.requests, r.tokens, r.micros, r.requests, r.tokens, 0, 0, 0, r.micros)::limits_ending), '{}') INTO due
        FROM (SELECT * FROM reservations WHERE id IN (
            SELECT o.id FROM reservations o WHERE o.expires_at <= limits_lapse.at ORDER BY o.expires_at, o.id LIMIT 2000
        ) ORDER BY id FOR UPDATE) r;
    PERFORM limits_end(due, CASE WHEN charging THEN 'CHARGED' ELSE 'RELEASED' END, limits_lapse.at, wanted);
    RETURN cardinality(due);
END
$$;

-- Reserves for many requests at once, each against all its limits or not at all. The first arrays tell of the counters in the order of
-- their ids: whose they are, from when on they count, what is allowed of each at this moment, and what all requests together would add.
-- `uses` has the ids of the counters of all groups, one group after the other, and `places` where those stand in `ids`. A group is requests
-- that are alike: its stretch of `uses`, how many they are, the cost of one, and whether they stand until they are settled (their ids begin
-- at `first_ids`); else they are counted at once, and not among those that are open. Answers how many of each group pass, what stopped the
-- next one, and what is used of each counter now.
CREATE FUNCTION limits_reserve(present timestamptz, expires timestamptz, charging boolean, ids uuid[], limit_ids uuid[], budget_ids uuid[],
    user_ids uuid[], sinces timestamptz[], max_usd bigint[], max_req bigint[], max_tok bigint[], max_par bigint[], all_usd bigint[],
    all_req bigint[], all_tok bigint[], all_par bigint[], uses uuid[], places bigint[], first_uses bigint[], last_uses bigint[], sizes bigint[],
    req bigint[], tok bigint[], usd bigint[], stands boolean[], askers uuid[], keys uuid[], users uuid[], teams uuid[], resources text[],
    reservations uuid[], first_ids bigint[],
    OUT passed bigint[], OUT stoppers text[], OUT used_usd bigint[], OUT used_req bigint[], OUT used_tok bigint[], OUT used_par bigint[])
-- The plans are the same whatever the arrays hold, and however small the tables were when they were made: to look counters up in the order
-- of their ids, which is the order of locking.
LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan SET jit = off AS $$
#variable_conflict use_column
DECLARE
    clock  timestamptz := date_trunc('minute', present, 'UTC');
    counts bigint;
    kinds  boolean[];
    starts timestamptz[];
    spents bigint[];
    turns  timestamptz[];
    gone   boolean;
    room   bigint;
    pass   bigint;
    place  bigint;
    stopper text;
BEGIN
    -- Nearly always there is room for all: then one look at each counter is enough. Where there is not, or a counter is missing, or begins
    -- later than this server's clock, or something has run out, what follows takes requests one after the other.
    IF NOT EXISTS (SELECT 1 FROM reservations r WHERE r.expires_at <= present) THEN
        BEGIN
            WITH counted AS (
                UPDATE limit_counters c SET since = greatest(c.since, w.since), spent = CASE WHEN c.since < w.since THEN 0 ELSE c.spent END,
                    reserved = CASE WHEN c.since < w.since THEN 0 ELSE c.reserved END + w.usd, minute = clock,
                    requests = CASE WHEN c.minute < clock THEN 0 ELSE c.requests END + w.req,
                    tokens = CASE WHEN c.minute < clock THEN 0 ELSE c.tokens END + w.tok, parallel = c.parallel + w.par
                FROM unnest(ids, sinces, max_usd, max_req, max_tok, max_par, all_usd, all_req, all_tok, all_par)
                    AS w (id, since, max_usd, max_req, max_tok, max_par, usd, req, tok, par)
                WHERE c.id = w.id AND c.since <= present AND c.minute <= clock
                    AND (w.max_usd IS NULL OR CASE WHEN c.since < w.since THEN 0 ELSE c.spent + c.reserved END + w.usd < w.max_usd)
                    AND (w.max_req IS NULL OR CASE WHEN c.minute < clock THEN 0 ELSE c.requests END + w.req < w.max_req)
                    AND (w.max_tok IS NULL OR CASE WHEN c.minute < clock THEN 0 ELSE c.tokens END + w.tok < w.max_tok)
                    AND (w.max_par IS NULL OR w.max_par > 0 AND c.parallel + w.par <= w.max_par)
                RETURNING c.id, c.spent + c.reserved AS usd, c.requests, c.tokens, c.parallel
            )
            SELECT count(*), array_agg(c.usd), array_agg(c.requests), array_agg(c.tokens), array_agg(c.parallel)
            INTO counts, used_usd, used_req, used_tok, used_par FROM (SELECT * FROM counted ORDER BY id) c;
            IF counts < cardinality(ids) THEN
                RAISE EXCEPTION 'there is not room for all' USING ERRCODE = 'KS001';
            END IF;
            INSERT INTO reservations (id, asker_id, api_key_id, user_id, team_id, at, expires_at, counters, requests, tokens, micros, resource)
                SELECT i.id, g.asker, g.key, g.owner, g.team, present, expires, uses[g.first:g.last], g.req, g.tok, g.usd, g.resource
                FROM unnest(first_uses, last_uses, sizes, req, tok, usd, stands, askers, keys, users, teams, resources, first_ids)
                    AS g (first, last, size, req, tok, usd, stands, asker, key, owner, team, resource, first_id)
                CROSS JOIN LATERAL unnest(reservations[g.first_id:g.first_id + g.size - 1]) AS i (id) WHERE g.stands;
            passed := sizes;
            stoppers := array_fill(NULL::text, ARRAY[cardinality(sizes)]);
            RETURN;
        EXCEPTION WHEN SQLSTATE 'KS001' THEN
            NULL;
        END;
    END IF;
    INSERT INTO limit_counters (id, limit_id, budget_id, user_id, since, spent, reserved, minute, requests, tokens, parallel)
        SELECT w.id, w.limit_id, w.budget_id, w.user_id, coalesce(w.since, clock), 0, 0, clock, 0, 0, 0
        FROM unnest(ids, limit_ids, budget_ids, user_ids, sinces) AS w (id, limit_id, budget_id, user_id, since)
        WHERE NOT EXISTS (SELECT 1 FROM limit_counters k WHERE k.id = w.id) AND EXISTS (SELECT 1 FROM limits l WHERE l.id = w.limit_id)
            AND (w.budget_id IS NULL OR EXISTS (SELECT 1 FROM budgets b WHERE b.id = w.budget_id))
        ORDER BY w.id ON CONFLICT (id) DO NOTHING;
    PERFORM limits_lapse(present, charging, ids);
    SELECT array_agg(w.budget_id IS NOT NULL ORDER BY w.n), array_agg(greatest(k.since, w.since) ORDER BY w.n),
        -- A counter of an earlier window, or of an earlier minute, begins anew.
        array_agg(CASE WHEN k.since >= w.since THEN k.spent ELSE 0 END ORDER BY w.n),
        array_agg(CASE WHEN k.since >= w.since THEN k.spent + k.reserved ELSE 0 END ORDER BY w.n),
        array_agg(greatest(k.minute, clock) ORDER BY w.n),
        array_agg(CASE WHEN k.minute >= clock THEN k.requests ELSE 0 END ORDER BY w.n),
        array_agg(CASE WHEN k.minute >= clock THEN k.tokens ELSE 0 END ORDER BY w.n),
        array_agg(coalesce(k.parallel, 0) ORDER BY w.n),
        -- What is gone meanwhile limits nothing.
        array_agg(CASE WHEN k.id IS NOT NULL THEN w.max_usd END ORDER BY w.n),
        array_agg(CASE WHEN k.id IS NOT NULL THEN w.max_req END ORDER BY w.n),
        array_agg(CASE WHEN k.id IS NOT NULL THEN w.max_tok END ORDER BY w.n),
        array_agg(CASE WHEN k.id IS NOT NULL THEN w.max_par END ORDER BY w.n), bool_or(k.id IS NULL)
    INTO kinds, starts, spents, used_usd, turns, used_req, used_tok, used_par, max_usd, max_req, max_tok, max_par, gone
    FROM unnest(ids, budget_ids, sinces, max_usd, max_req, max_tok, max_par)
        WITH ORDINALITY AS w (id, budget_id, since, max_usd, max_req, max_tok, max_par, n) LEFT JOIN limit_counters k ON k.id = w.id;
    passed := '{}';
    stoppers := '{}';
    FOR n IN 1..cardinality(sizes) LOOP
        pass := sizes[n];
        stopper := NULL;
        FOREACH place IN ARRAY places[first_uses[n]:last_uses[n]] LOOP
            -- Of each limit: nothing where it is used up, else as often as the cost goes into what is left.
            IF max_usd[place] IS NOT NULL THEN
                room := max_usd[place] - used_usd[place];
                room := CASE WHEN room <= 0 THEN 0 WHEN usd[n] > 0 THEN room / usd[n] ELSE pass END;
                IF room < pass THEN pass := room; stopper := place || ' usd'; END IF;
            END IF;
            IF max_req[place] IS NOT NULL THEN
                room := max_req[place] - used_req[place];
                room := CASE WHEN room <= 0 THEN 0 WHEN req[n] > 0 THEN room / req[n] ELSE pass END;
                IF room < pass THEN pass := room; stopper := place || ' requests'; END IF;
            END IF;
            IF max_tok[place] IS NOT NULL THEN
                room := max_tok[place] - used_tok[place];
                room := CASE WHEN room <= 0 THEN 0 WHEN tok[n] > 0 THEN room / tok[n] ELSE pass END;
                IF room < pass THEN pass := room; stopper := place || ' tokens'; END IF;
            END IF;
            IF max_par[place] = 0 OR stands[n] AND max_par[place] IS NOT NULL THEN
                room := greatest(max_par[place] - used_par[place], 0);
                IF room < pass THEN pass := room; stopper := place || ' parallel'; END IF;
            END IF;
        END LOOP;
        IF pass > 0 THEN
            FOREACH place IN ARRAY places[first_uses[n]:last_uses[n]] LOOP
                IF kinds[place] THEN
                    used_usd[place] := used_usd[place] + pass * usd[n];
                ELSE
                    used_req[place] := used_req[place] + pass * req[n];
                    used_tok[place] := used_tok[place] + pass * tok[n];
                    IF stands[n] THEN used_par[place] := used_par[place] + pass; END IF;
                END IF;
            END LOOP;
        END IF;
        passed := array_append(passed, pass);
        stoppers := array_append(stoppers, stopper);
    END LOOP;
    UPDATE limit_counters c SET since = w.since, spent = w.spent, reserved = w.used - w.spent, minute = w.minute,
        requests = w.requests, tokens = w.tokens, parallel = w.open
    FROM unnest(ids, starts, spents, used_usd, turns, used_req, used_tok, used_par)
        AS w (id, since, spent, used, minute, requests, tokens, open)
    WHERE c.id = w.id;
    INSERT INTO reservations (id, asker_id, api_key_id, user_id, team_id, at, expires_at, counters, requests, tokens, micros, resource)
        SELECT i.id, g.asker, g.key, g.owner, g.team,
            -- It lies in what its counters count, also where the clocks of two servers differ.
            greatest(present, (SELECT max(starts[u]) FROM unnest(places[g.first:g.last]) AS u WHERE kinds[u])), expires,
            CASE WHEN gone THEN ARRAY(SELECT k.id FROM limit_counters k WHERE k.id = ANY(uses[g.first:g.last]))
                ELSE uses[g.first:g.last] END,
            g.req, g.tok, g.usd, g.resource
        FROM unnest(first_uses, last_uses, passed, req, tok, usd, stands, askers, keys, users, teams, resources, first_ids)
            AS g (first, last, passed, req, tok, usd, stands, asker, key, owner, team, resource, first_id)
        CROSS JOIN LATERAL unnest(reservations[g.first_id:g.first_id + g.passed - 1]) AS i (id) WHERE g.stands;
END
$$;

-- Turns reservations into what was used in truth, as of `present`: of each its id, who asks, and the cost, as far as it is another. Answers
-- with the ids that were settled, and with those that had been before.
CREATE FUNCTION limits_settle(present timestamptz, batch jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    wanted  uuid[] := ARRAY(SELECT w.id FROM jsonb_to_recordset(batch) AS w (id uuid));
    held    uuid[];
    late    uuid[];
    first   timestamptz;
    last    timestamptz;
    due     limits_ending[];
    earlier uuid[] := '{}';
BEGIN
    SELECT coalesce(array_agg(r.id), '{}') INTO held
        FROM (SELECT id FROM reservations WHERE id = ANY(wanted) ORDER BY id FOR UPDATE) r;
    late := ARRAY(SELECT unnest(wanted) EXCEPT SELECT unnest(held));
    SELECT coalesce(array_agg(ROW(r.id, r.at, r.asker_id, r.api_key_id, r.user_id, r.team_id, r.resource, coalesce(w.tags, '{}'), r.counters,
            true, false, r.requests, r.tokens, r.micros, coalesce(w.requests, r.requests), coalesce(w.tokens, r.tokens),
            coalesce(w.tokens_in, 0), coalesce(w.tokens_out, 0), coalesce(w.tokens_cached, 0),
            coalesce(w.micros, r.micros))::limits_ending), '{}') INTO due
        FROM jsonb_to_recordset(batch) AS w (id uuid, asker_id uuid, requests bigint, tokens bigint, tokens_in bigint, tokens_out bigint,
            tokens_cached bigint, micros bigint, tags text[])
        JOIN reservations r ON r.id = w.id AND r.asker_id IS NOT DISTINCT FROM w.asker_id WHERE r.id = ANY(held);
    IF late <> '{}' THEN
        -- Those that have run out are events by now. Their ids begin with the millisecond that they were made in, which leads to the month.
        SELECT min(t.at) - interval '1 day', max(t.at) + interval '1 day' INTO first, last FROM (
            SELECT to_timestamp(('x' || left(translate(i.id::text, '-', ''), 12))::bit(48)::bigint / 1000.0) AS at FROM unnest(late) AS i (id)
        ) t;
        PERFORM 1 FROM usage_events h WHERE h.id = ANY(late) AND h.at BETWEEN first AND last ORDER BY h.id FOR UPDATE;
        -- What was charged at its end is corrected; what was released was counted no more.
        SELECT coalesce(array_agg(h.id) FILTER (WHERE h.state = 'SETTLED'), '{}'),
            due || coalesce(array_agg(ROW(h.id, h.at, h.asker_id, h.api_key_id, h.user_id, h.team_id, h.resource, coalesce(w.tags, '{}'),
                h.counters, false, h.state = 'CHARGED', c.n * h.requests, c.n * h.tokens, c.n * h.micros, coalesce(w.requests, h.requests),
                coalesce(w.tokens, h.tokens), coalesce(w.tokens_in, 0), coalesce(w.tokens_out, 0), coalesce(w.tokens_cached, 0),
                coalesce(w.micros, h.micros))::limits_ending) FILTER (WHERE h.state <> 'SETTLED'), '{}')
        INTO earlier, due
        FROM jsonb_to_recordset(batch) AS w (id uuid, asker_id uuid, requests bigint, tokens bigint, tokens_in bigint, tokens_out bigint,
            tokens_cached bigint, micros bigint, tags text[])
        JOIN usage_events h ON h.id = w.id AND h.asker_id IS NOT DISTINCT FROM w.asker_id
        CROSS JOIN LATERAL (SELECT (h.state = 'CHARGED')::integer AS n) AS c
        WHERE h.id = ANY(late) AND h.at BETWEEN first AND last;
    END IF;
    PERFORM limits_end(due, 'SETTLED', present, '{}');
    RETURN json_build_object('settled', ARRAY(SELECT d.id FROM unnest(due) AS d), 'earlier', earlier)::text;
END
$$;

-- Counts new events against these counters (each with the beginning of what counts of its budget at `present`), as far as they lie in the
-- window or the minute that is counted. `counters` are the counters of each kind of event.
CREATE FUNCTION usage_count(present timestamptz, counts jsonb, ats timestamptz[], kinds bigint[], requests bigint[], tokens bigint[],
    micros bigint[], counters text[]) RETURNS void LANGUAGE plpgsql SET enable_nestloop = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
    clock  timestamptz := date_trunc('minute', present, 'UTC');
    wanted uuid[] := ARRAY(SELECT w.id FROM jsonb_to_recordset(counts) AS w (id uuid));
    bounds timestamptz[];
BEGIN
    INSERT INTO limit_counters (id, limit_id, budget_id, user_id, since, spent, reserved, minute, requests, tokens, parallel)
        SELECT w.id, w.limit_id, w.budget_id, w.user_id, coalesce(w.since, clock), 0, 0, clock, 0, 0, 0
        FROM jsonb_to_recordset(counts) AS w (id uuid, limit_id uuid, budget_id uuid, user_id uuid, since timestamptz)
        WHERE w.id <> ALL(ARRAY(SELECT k.id FROM limit_counters k WHERE k.id = ANY(wanted))) ORDER BY w.id ON CONFLICT (id) DO NOTHING;
    PERFORM 1 FROM limit_counters k WHERE k.id = ANY(wanted) ORDER BY k.id FOR NO KEY UPDATE;
    -- Between two of these moments all events count alike.
    bounds := ARRAY(
        SELECT greatest(k.since, w.since) FROM jsonb_to_recordset(counts) AS w (id uuid, since timestamptz)
            JOIN limit_counters k ON k.id = w.id WHERE k.id = ANY(wanted) AND k.budget_id IS NOT NULL
        UNION SELECT greatest(k.minute, clock) + n * interval '1 minute' FROM limit_counters k CROSS JOIN generate_series(0, 1) AS n
            WHERE k.id = ANY(wanted) AND k.budget_id IS NULL
        ORDER BY 1);
    UPDATE limit_counters c SET since = d.since, spent = CASE WHEN c.since >= d.since THEN c.spent ELSE 0 END + d.spent,
        reserved = CASE WHEN c.since >= d.since THEN c.reserved ELSE 0 END, minute = d.minute,
        requests = CASE WHEN c.minute >= d.minute THEN c.requests ELSE 0 END + d.requests,
        tokens = CASE WHEN c.minute >= d.minute THEN c.tokens ELSE 0 END + d.tokens
    FROM (
        SELECT n.id, n.since, n.minute,
            coalesce(sum(s.micros) FILTER (WHERE n.is_budget AND s.starts >= n.since), 0) AS spent,
            coalesce(sum(s.requests) FILTER (WHERE NOT n.is_budget AND s.starts >= n.minute AND s.starts < n.ends), 0) AS requests,
            coalesce(sum(s.tokens) FILTER (WHERE NOT n.is_budget AND s.starts >= n.minute AND s.starts < n.ends), 0) AS tokens
        FROM (
            SELECT k.id, k.budget_id IS NOT NULL AS is_budget, greatest(k.since, w.since) AS since, greatest(k.minute, clock) AS minute,
                greatest(k.minute, clock) + interval '1 minute' AS ends
            FROM jsonb_to_recordset(counts) AS w (id uuid, since timestamptz) JOIN limit_counters k ON k.id = w.id WHERE k.id = ANY(wanted)
        ) n
        JOIN (
            SELECT u.id::uuid AS id, k.n AS kind FROM unnest(counters) WITH ORDINALITY AS k (counters, n)
            CROSS JOIN unnest(string_to_array(k.counters, ',')) AS u (id)
        ) k ON k.id = n.id
        JOIN (
            SELECT e.kind, bounds[width_bucket(e.at, bounds)] AS starts, sum(e.requests) AS requests, sum(e.tokens) AS tokens,
                sum(e.micros) AS micros
            FROM unnest(ats, kinds, requests, tokens, micros) AS e (at, kind, requests, tokens, micros) GROUP BY 1, 2
        ) s ON s.kind = k.kind
        GROUP BY n.id, n.since, n.minute
    ) d WHERE c.id = d.id AND c.id = ANY(wanted);
    PERFORM limits_notice(wanted);
END
$$;

-- Records events as of `present`: of each its id, its moment, and its kind, which is a place in the lists of users, keys, teams, resources,
-- tags (between unit separators) and counters. `months` are those of the moments. Those whose ids are `looking` may be known in another
-- month too, from `earliest` until `latest`. `counting` has all counters, with the beginning of what counts of each budget. What is known
-- by its id already changes nothing: answers with the ids of those.
CREATE FUNCTION usage_record(present timestamptz, asker uuid, months timestamptz[], looking uuid[], earliest timestamptz, latest timestamptz,
    ids uuid[], ats timestamptz[], kinds bigint[], requests bigint[], tokens bigint[], tokens_in bigint[], tokens_out bigint[],
    tokens_cached bigint[], micros bigint[], users uuid[], keys uuid[], teams uuid[], resources text[], tags text[], counters text[],
    counting jsonb)
RETURNS uuid[] LANGUAGE plpgsql SET enable_nestloop = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
    given uuid[] := ids;
    known uuid[] := '{}';
    fresh uuid[];
BEGIN
    PERFORM usage_partition(m.month) FROM unnest(months) AS m (month);
    IF looking <> '{}' THEN
        -- Near the turn of a month another server may put the same id into the other month at this moment.
        IF date_trunc('month', present - interval '10 minutes', 'UTC') <> date_trunc('month', present + interval '10 minutes', 'UTC') THEN
            PERFORM pg_advisory_xact_lock(x'6b730003'::bigint);
        END IF;
        known := ARRAY(SELECT h.id FROM usage_events h WHERE h.id = ANY(looking) AND h.at >= earliest AND h.at < latest);
    END IF;
    WITH made AS (
        INSERT INTO usage_events (id, at, recorded_at, asker_id, api_key_id, user_id, team_id, requests, tokens, tokens_in, tokens_out,
                tokens_cached, micros, resource, tags, counters, state)
            SELECT e.id, e.at, present, asker, k.api_key_id, k.user_id, k.team_id, e.requests, e.tokens, e.tokens_in, e.tokens_out,
                e.tokens_cached, e.micros, k.resource, k.tags, k.counters, 'SETTLED'
            FROM unnest(ids, ats, kinds, requests, tokens, tokens_in, tokens_out, tokens_cached, micros)
                AS e (id, at, kind, requests, tokens, tokens_in, tokens_out, tokens_cached, micros)
            JOIN (
                SELECT u.n, u.user_id, u.api_key_id, u.team_id, u.resource, string_to_array(u.tags, E'\x1f') AS tags,
                    string_to_array(u.counters, ',')::uuid[] AS counters
                FROM unnest(users, keys, teams, resources, tags, counters)
                    WITH ORDINALITY AS u (user_id, api_key_id, team_id, resource, tags, counters, n)
            ) k ON k.n = e.kind
            WHERE NOT EXISTS (SELECT 1 FROM unnest(known) AS x (id) WHERE x.id = e.id)
            ORDER BY e.id
        ON CONFLICT DO NOTHING RETURNING id
    )
    SELECT coalesce(array_agg(made.id), '{}') INTO fresh FROM made;
    IF fresh = '{}' THEN
        RETURN given;
    END IF;
    IF cardinality(fresh) < cardinality(ids) THEN
        SELECT array_agg(e.id), array_agg(e.at), array_agg(e.kind), array_agg(e.requests), array_agg(e.tokens), array_agg(e.tokens_in),
            array_agg(e.tokens_out), array_agg(e.tokens_cached), array_agg(e.micros)
        INTO ids, ats, kinds, requests, tokens, tokens_in, tokens_out, tokens_cached, micros
        FROM unnest(ids, ats, kinds, requests, tokens, tokens_in, tokens_out, tokens_cached, micros)
            AS e (id, at, kind, requests, tokens, tokens_in, tokens_out, tokens_cached, micros)
        JOIN unnest(fresh) AS f (id) ON f.id = e.id;
    END IF;
    PERFORM usage_roll(ARRAY(
        SELECT ROW(s.slot, k.user_id, k.api_key_id, k.team_id, k.resource, t.tag, s.events, s.requests, s.tokens, s.tokens_in,
            s.tokens_out, s.tokens_cached, s.micros)::usage_quarters
        FROM (
            SELECT date_bin('15 minutes', e.at, 'epoch') AS slot, e.kind, count(*) AS events, sum(e.requests)::bigint AS requests,
                sum(e.tokens)::bigint AS tokens, sum(e.tokens_in)::bigint AS tokens_in, sum(e.tokens_out)::bigint AS tokens_out,
                sum(e.tokens_cached)::bigint AS tokens_cached, sum(e.micros)::bigint AS micros
            FROM unnest(ats, kinds, requests, tokens, tokens_in, tokens_out, tokens_cached, micros)
                AS e (at, kind, requests, tokens, tokens_in, tokens_out, tokens_cached, micros)
            GROUP BY 1, 2
        ) s JOIN unnest(users, keys, teams, resources, tags) WITH ORDINALITY AS k (user_id, api_key_id, team_id, resource, tags, n)
            ON k.n = s.kind
        CROSS JOIN unnest(array_append(string_to_array(k.tags, E'\x1f'), '')) AS t (tag)));
    IF counting <> '[]' THEN
        PERFORM usage_count(present, counting, ats, kinds, requests, tokens, micros, counters);
    END IF;
    RETURN CASE WHEN cardinality(fresh) = cardinality(given) THEN '{}'
        ELSE ARRAY(SELECT g.id FROM unnest(given) AS g (id) EXCEPT SELECT f.id FROM unnest(fresh) AS f (id)) END;
END
$$;

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
    -- The dialect that it came by; null: Keystead's own API.
    via          text,
    -- The writing transaction: readers that follow the trail read up to the oldest one still open, and miss nothing.
    xid          xid8        NOT NULL DEFAULT pg_current_xact_id(),
    -- The oldest transaction that was open at that moment: what becomes visible after this event was written by this or a later one.
    floor        xid8        NOT NULL DEFAULT pg_snapshot_xmin(pg_current_snapshot())
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
