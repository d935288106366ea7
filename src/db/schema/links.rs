//! The table of invitations.

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
