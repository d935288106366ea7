-- A membership may have an end; nothing is held by it from then on, and a server takes it away.
ALTER TABLE team_memberships ADD COLUMN expires_at timestamptz;
CREATE INDEX team_memberships_expires_at_idx ON team_memberships (expires_at) WHERE expires_at IS NOT NULL;

-- What people ask for, and what became of it.
CREATE TABLE access_requests (
    id            uuid PRIMARY KEY,
    user_id       uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    -- Roles at paths, or a place in a team. No foreign keys: what is not there any more cannot be given.
    asked         jsonb       NOT NULL,
    -- Where it lies: those paths, or the team's.
    paths         text[]      NOT NULL CHECK (cardinality(paths) > 0),
    team_id       uuid,
    justification text        NOT NULL CHECK (char_length(justification) <= 2000),
    -- Until when it is wanted; null: for good.
    until         timestamptz,
    created_at    timestamptz NOT NULL,
    -- From then on nobody can review it.
    expires_at    timestamptz NOT NULL,
    decision      text        CHECK (decision IN ('APPROVED', 'DENIED', 'WITHDRAWN')),
    decided_at    timestamptz,
    decided_by    uuid        REFERENCES users ON DELETE SET NULL,
    reason        text        CHECK (char_length(reason) <= 2000),
    granted       jsonb,
    granted_until timestamptz,
    CHECK ((decision IS NULL) = (decided_at IS NULL)),
    CHECK ((decision IS NOT DISTINCT FROM 'APPROVED') = (granted IS NOT NULL))
);
CREATE INDEX access_requests_created_at_id_idx ON access_requests (created_at, id);
CREATE INDEX access_requests_user_id_idx ON access_requests (user_id, created_at, id);
CREATE INDEX access_requests_team_id_idx ON access_requests (team_id, created_at, id) WHERE team_id IS NOT NULL;
CREATE INDEX access_requests_open_idx ON access_requests (created_at, id) WHERE decision IS NULL;
CREATE INDEX access_requests_decided_by_idx ON access_requests (decided_by) WHERE decided_by IS NOT NULL;
