//! The tables of invitations, of magic links, and of requests for access.

diesel::table! {
    access_requests (id) {
        id -> Uuid,
        user_id -> Uuid,
        asked -> Jsonb,
        paths -> Array<Text>,
        team_id -> Nullable<Uuid>,
        justification -> Text,
        until -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        decision -> Nullable<Text>,
        decided_at -> Nullable<Timestamptz>,
        decided_by -> Nullable<Uuid>,
        reason -> Nullable<Text>,
        granted -> Nullable<Jsonb>,
        granted_until -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    invitations (id) {
        id -> Uuid,
        digest -> Bytea,
        user_id -> Nullable<Uuid>,
        email -> Nullable<Text>,
        role -> Nullable<Text>,
        team_ids -> Array<Uuid>,
        team_roles -> Array<Text>,
        invited_by -> Uuid,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        accepted_at -> Nullable<Timestamptz>,
        accepted_by -> Nullable<Uuid>,
        revoked_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    magic_link_requests (address) {
        address -> Bytea,
        at -> Timestamptz,
    }
}

diesel::table! {
    magic_links (id) {
        id -> Uuid,
        digest -> Bytea,
        user_id -> Nullable<Uuid>,
        email -> Text,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        used_at -> Nullable<Timestamptz>,
    }
}
