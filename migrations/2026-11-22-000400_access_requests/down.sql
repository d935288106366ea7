DROP TABLE access_requests;
DROP INDEX team_memberships_expires_at_idx;
ALTER TABLE team_memberships DROP COLUMN expires_at;
