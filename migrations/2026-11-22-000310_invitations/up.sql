-- Links by which people come in.
CREATE TABLE invitations (
    id          uuid PRIMARY KEY,
    -- SHA-256 of the token in the link; the token itself is never stored.
    digest      bytea       NOT NULL CHECK (octet_length(digest) = 32),
    -- For a user that exists, or for an address.
    user_id     uuid        REFERENCES users ON DELETE CASCADE,
    email       text        CHECK (octet_length(email) <= 254),
    -- What a new user will be to the instance.
    role        text        CHECK (role IN ('ADMIN', 'AUDITOR', 'MEMBER', 'VIEWER')),
    -- The teams it will belong to, and what it will be to each. No foreign keys: one that is deleted is left out.
    team_ids    uuid[]      NOT NULL,
    team_roles  text[]      NOT NULL,
    -- Who answers for it.
    invited_by  uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    accepted_at timestamptz,
    accepted_by uuid        REFERENCES users ON DELETE SET NULL,
    revoked_at  timestamptz,
    CHECK ((user_id IS NULL) <> (email IS NULL)),
    CHECK ((role IS NULL) = (email IS NULL)),
    CHECK (cardinality(team_ids) = cardinality(team_roles)),
    CHECK (accepted_at IS NULL OR revoked_at IS NULL)
);
CREATE UNIQUE INDEX invitations_digest_key ON invitations (digest);
CREATE INDEX invitations_created_at_id_idx ON invitations (created_at, id);
CREATE INDEX invitations_user_id_idx ON invitations (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX invitations_email_idx ON invitations (lower(email)) WHERE email IS NOT NULL;
CREATE INDEX invitations_invited_by_idx ON invitations (invited_by, created_at, id);
CREATE INDEX invitations_accepted_by_idx ON invitations (accepted_by) WHERE accepted_by IS NOT NULL;
CREATE INDEX invitations_team_ids_idx ON invitations USING gin (team_ids);
