//! The tables of second factors.

diesel::table! {
    second_factors (id) {
        id -> Uuid,
        user_id -> Uuid,
        kind -> Text,
        name -> Text,
        secret -> Bytea,
        credential_id -> Nullable<Bytea>,
        counter -> Int8,
        created_at -> Timestamptz,
        last_used_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    recovery_codes (user_id, digest) {
        user_id -> Uuid,
        digest -> Bytea,
    }
}

diesel::table! {
    factor_challenges (digest) {
        digest -> Bytea,
        user_id -> Nullable<Uuid>,
        state -> Bytea,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    used_challenges (digest) {
        digest -> Bytea,
        expires_at -> Timestamptz,
    }
}
