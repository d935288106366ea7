-- What users show beside a password.
CREATE TABLE second_factors (
    id           uuid PRIMARY KEY,
    user_id      uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    kind         text        NOT NULL CHECK (kind IN ('TOTP', 'PASSKEY')),
    name         text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    -- Sealed: the secret that both sides know; of a passkey its public key, which nobody is to exchange for another.
    secret       bytea       NOT NULL,
    -- What a passkey is known by, to all users.
    credential_id bytea      UNIQUE CHECK (octet_length(credential_id) BETWEEN 1 AND 1023),
    -- The time step of the last code that was taken, or the signature counter of the last signature: none of it, or of an earlier one, is taken
    -- again. Passkeys that do not count have 0 for ever.
    counter      bigint      NOT NULL,
    created_at   timestamptz NOT NULL,
    last_used_at timestamptz,
    CHECK ((kind = 'PASSKEY') = (credential_id IS NOT NULL))
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

-- Challenges are handed out without a trace here. One that was answered is not taken again.
CREATE TABLE used_challenges (
    -- SHA-256 of it as it was handed out, sealed.
    digest     bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    -- From then on it is refused for its age.
    expires_at timestamptz NOT NULL
);
CREATE INDEX used_challenges_expires_at_idx ON used_challenges (expires_at);
