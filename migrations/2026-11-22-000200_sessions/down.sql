DROP FUNCTION sign_in_succeeded(bytea, bytea, bytea);
DROP FUNCTION sign_in_attempt(bytea, bytea, bytea, timestamptz);
DROP TABLE sign_in_attempts;
ALTER TABLE users DROP COLUMN password_changed_at;
ALTER TABLE users DROP COLUMN must_change_password;
DROP TABLE sessions;
