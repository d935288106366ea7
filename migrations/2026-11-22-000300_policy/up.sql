-- What holds for new users and for keys. No row: as the configuration says.
CREATE TABLE policies (
    -- There is one.
    id                   boolean PRIMARY KEY CHECK (id),
    user_role            text    NOT NULL CHECK (user_role IN ('MEMBER', 'VIEWER')),
    -- The teams to which new users belong, and what they are to each. No foreign keys: one that is deleted is left out.
    team_ids             uuid[]  NOT NULL,
    team_roles           text[]  NOT NULL,
    -- Null: whoever holds the privilege.
    personal_key_makers  text[],
    team_key_makers      text[],
    required_key_fields  text[]  NOT NULL,
    max_lifetime_seconds bigint  CHECK (max_lifetime_seconds > 0),
    max_keys_per_user    bigint  CHECK (max_keys_per_user >= 0),
    -- The instance roles whose users must have a second factor.
    second_factor_roles  text[]  NOT NULL,
    CHECK (cardinality(team_ids) = cardinality(team_roles))
);
