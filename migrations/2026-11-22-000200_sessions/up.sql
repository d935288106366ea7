-- Sessions: what people who have signed in send with their requests.
CREATE TABLE sessions (
    id             uuid PRIMARY KEY,
    user_id        uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    -- SHA-256 of the secret; the secret itself is never stored.
    digest         bytea       NOT NULL CHECK (octet_length(digest) = 32),
    method         text        NOT NULL CHECK (method IN ('PASSWORD', 'INVITATION', 'MAGIC_LINK', 'PASSKEY')),
    -- The User-Agent that signed in.
    device         text        CHECK (octet_length(device) <= 512),
    created_from   text,
    created_at     timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    last_used_at   timestamptz NOT NULL,
    last_used_from text
);
CREATE UNIQUE INDEX sessions_digest_key ON sessions (digest);
CREATE INDEX sessions_user_id_idx ON sessions (user_id, created_at, id);
CREATE INDEX sessions_expires_at_idx ON sessions (expires_at);
CREATE INDEX sessions_last_used_at_idx ON sessions (last_used_at);

-- Set by somebody else: it is good for one sign-in, at which another one is chosen.
ALTER TABLE users ADD COLUMN must_change_password boolean NOT NULL DEFAULT false;
ALTER TABLE users ADD COLUMN password_changed_at timestamptz;

-- Attempts to sign in that failed, or have not ended: by login, by address, and by both. Keys are SHA-256.
CREATE TABLE sign_in_attempts (
    key     bytea       PRIMARY KEY CHECK (octet_length(key) = 32),
    count   integer     NOT NULL,
    last_at timestamptz NOT NULL,
    -- Before this moment no other one is made.
    until   timestamptz NOT NULL
);
CREATE INDEX sign_in_attempts_last_at_idx ON sign_in_attempts (last_at);

-- Counts an attempt before it is made, so that any number at once count too, and answers 0; or answers how many seconds to wait, and counts
-- nothing. `of_both`, `of_login` and `of_address` are its keys. From so many attempts on each has a wait, twice as long as the one before it, at
-- most 15 minutes: 5 from one address for one login, 10 for one login, 100 from one address. An address that has hardly tried a login does not wait for what
-- others do to that login. After a day without an attempt nothing is held against anybody.
CREATE FUNCTION sign_in_attempt(of_both bytea, of_login bytea, of_address bytea, at timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    held  sign_in_attempts;
    waits timestamptz := at;
    tried integer := 0;
    free  integer;
    keys  bytea[] := ARRAY[of_both, of_login, of_address];
BEGIN
    INSERT INTO sign_in_attempts (key, count, last_at, until)
        SELECT k, 0, at, at FROM unnest(keys) AS k ORDER BY k ON CONFLICT (key) DO NOTHING;
    PERFORM 1 FROM sign_in_attempts a WHERE a.key = ANY(keys) ORDER BY a.key FOR UPDATE;
    UPDATE sign_in_attempts a SET count = 0, until = at WHERE a.key = ANY(keys) AND a.last_at < at - interval '1 day';
    SELECT a.count INTO tried FROM sign_in_attempts a WHERE a.key = of_both;
    FOR held IN SELECT * FROM sign_in_attempts a WHERE a.key = ANY(keys) LOOP
        IF held.key <> of_login OR tried >= 3 THEN
            waits := greatest(waits, held.until);
        END IF;
    END LOOP;
    IF waits > at THEN
        RETURN ceil(extract(epoch FROM waits - at));
    END IF;
    FOR held IN SELECT * FROM sign_in_attempts a WHERE a.key = ANY(keys) ORDER BY a.key LOOP
        free := CASE held.key WHEN of_both THEN 5 WHEN of_login THEN 10 ELSE 100 END;
        UPDATE sign_in_attempts a SET count = held.count + 1, last_at = at, until = CASE
            WHEN held.count + 1 < free THEN at
            ELSE at + make_interval(secs => least(900, 2 ^ least(held.count + 1 - free, 10))) END
        WHERE a.key = held.key;
    END LOOP;
    RETURN 0;
END $$;

-- What was counted of an attempt that succeeded: nothing is held against the login any more, and one less against the address.
CREATE FUNCTION sign_in_succeeded(of_both bytea, of_login bytea, of_address bytea) RETURNS void LANGUAGE sql AS $$
    WITH locked AS (SELECT key FROM sign_in_attempts WHERE key IN (of_both, of_login, of_address) ORDER BY key FOR UPDATE),
        gone AS (DELETE FROM sign_in_attempts WHERE key IN (SELECT key FROM locked WHERE key <> of_address))
    UPDATE sign_in_attempts SET count = greatest(count - 1, 0), until = CASE WHEN count <= 100 THEN last_at ELSE until END
        WHERE key IN (SELECT key FROM locked WHERE key = of_address);
$$;
