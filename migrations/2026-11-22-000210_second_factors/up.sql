-- What users show beside a password.
CREATE TABLE second_factors (
    id           uuid PRIMARY KEY,
    user_id      uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    kind         text        NOT NULL CHECK (kind IN ('TOTP')),
    name         text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    -- Sealed: the secret that both sides know.
    secret       bytea       NOT NULL,
    -- The time step of the last code that was taken: no code of it, or of an earlier one, is taken again.
    last_step    bigint      NOT NULL,
    created_at   timestamptz NOT NULL,
    last_used_at timestamptz
);
CREATE INDEX second_factors_user_id_idx ON second_factors (user_id, created_at, id);

-- Codes for who has lost its factors. One that was used is deleted.
CREATE TABLE recovery_codes (
    user_id uuid  NOT NULL REFERENCES users ON DELETE CASCADE,
    -- SHA-256 of the code: 80 random bits.
    digest  bytea NOT NULL CHECK (octet_length(digest) = 32),
    PRIMARY KEY (user_id, digest)
);

-- What was begun with a factor and has not ended.
CREATE TABLE factor_challenges (
    -- SHA-256 of what its end names it by.
    digest     bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    user_id    uuid        REFERENCES users ON DELETE CASCADE,
    -- Sealed: what its end must know.
    state      bytea       NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX factor_challenges_user_id_idx ON factor_challenges (user_id);
CREATE INDEX factor_challenges_expires_at_idx ON factor_challenges (expires_at);
