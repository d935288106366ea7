-- Sessions: what people who have signed in send with their requests.
CREATE TABLE sessions (
    id             uuid PRIMARY KEY,
    user_id        uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    -- SHA-256 of the secret; the secret itself is never stored.
    digest         bytea       NOT NULL CHECK (octet_length(digest) = 32),
    method         text        NOT NULL CHECK (method IN ('PASSWORD', 'INVITATION', 'MAGIC_LINK')),
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
