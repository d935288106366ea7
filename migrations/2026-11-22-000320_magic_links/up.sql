-- Links by which people sign in.
CREATE TABLE magic_links (
    id         uuid PRIMARY KEY,
    -- SHA-256 of the token in the link; the token itself is never stored.
    digest     bytea       NOT NULL CHECK (octet_length(digest) = 32),
    -- Who is signed in; null: a user that is made by it.
    user_id    uuid        REFERENCES users ON DELETE CASCADE,
    -- Where it was sent.
    email      text        NOT NULL CHECK (octet_length(email) <= 254),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    -- When it was used, or another one to the same address.
    used_at    timestamptz
);
CREATE UNIQUE INDEX magic_links_digest_key ON magic_links (digest);
CREATE INDEX magic_links_user_id_idx ON magic_links (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX magic_links_email_idx ON magic_links (lower(email));
CREATE INDEX magic_links_expires_at_idx ON magic_links (expires_at);

-- When a link was last asked for, by the SHA-256 of the address in small letters, whoever has it.
CREATE TABLE magic_link_requests (
    address bytea       PRIMARY KEY CHECK (octet_length(address) = 32),
    at      timestamptz NOT NULL
);
CREATE INDEX magic_link_requests_at_idx ON magic_link_requests (at);
