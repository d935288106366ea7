-- Secrets of keys that their maker may see once more, by asking again: for clients that cannot take them from the first answer.
CREATE TABLE shown_secrets (
    api_key_id uuid        PRIMARY KEY REFERENCES api_keys ON DELETE CASCADE,
    -- Who has made the key. Only the credential that was used opens what is sealed.
    maker_id   uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    sealed     bytea       NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX shown_secrets_maker_id_idx ON shown_secrets (maker_id);
CREATE INDEX shown_secrets_expires_at_idx ON shown_secrets (expires_at);
