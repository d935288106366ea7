// @generated automatically by Diesel CLI.

diesel::table! {
    api_key_notices (api_key_id, expires_at, days) {
        api_key_id -> Uuid,
        expires_at -> Timestamptz,
        days -> Int4,
    }
}

diesel::table! {
    api_keys (id) {
        id -> Uuid,
        owner_id -> Uuid,
        team_id -> Nullable<Uuid>,
        name -> Text,
        description -> Nullable<Text>,
        digest -> Bytea,
        prefix -> Text,
        previous_digest -> Nullable<Bytea>,
        previous_secret_expires_at -> Nullable<Timestamptz>,
        enabled -> Bool,
        disabled_reason -> Nullable<Text>,
        restricted -> Bool,
        allowed_cidrs -> Array<Text>,
        expires_at -> Nullable<Timestamptz>,
        last_used_at -> Nullable<Timestamptz>,
        last_used_from -> Nullable<Text>,
        rotated_at -> Nullable<Timestamptz>,
        metadata -> Jsonb,
        created_by -> Nullable<Uuid>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    audit_events (id) {
        id -> Uuid,
        at -> Timestamptz,
        actor_id -> Nullable<Uuid>,
        actor_name -> Nullable<Text>,
        api_key_id -> Nullable<Uuid>,
        on_behalf_of -> Nullable<Text>,
        action -> Text,
        target -> Text,
        paths -> Array<Text>,
        within -> Array<Text>,
        before -> Nullable<Jsonb>,
        after -> Nullable<Jsonb>,
        request_id -> Text,
        ip -> Nullable<Text>,
        user_agent -> Nullable<Text>,
    }
}

diesel::table! {
    idempotency_keys (actor_id, key) {
        actor_id -> Uuid,
        key -> Text,
        fingerprint -> Bytea,
        answer -> Nullable<Bytea>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    leases (id) {
        id -> Uuid,
        process -> Uuid,
        renewals -> Int8,
        length_ms -> Int8,
        holder -> Text,
        began_at -> Timestamptz,
    }
}

diesel::table! {
    permissions (id) {
        id -> Uuid,
        user_id -> Nullable<Uuid>,
        team_id -> Nullable<Uuid>,
        api_key_id -> Nullable<Uuid>,
        path -> Text,
        role_id -> Uuid,
        propagate -> Bool,
        expires_at -> Nullable<Timestamptz>,
        created_by -> Nullable<Uuid>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    roles (id) {
        id -> Uuid,
        name -> Text,
        description -> Nullable<Text>,
        privileges -> Array<Text>,
        built_in -> Bool,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    team_memberships (team_id, user_id) {
        team_id -> Uuid,
        user_id -> Uuid,
        role -> Text,
        since -> Timestamptz,
    }
}

diesel::table! {
    teams (id) {
        id -> Uuid,
        slug -> Text,
        name -> Text,
        description -> Nullable<Text>,
        parent_id -> Nullable<Uuid>,
        enabled -> Bool,
        metadata -> Jsonb,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    users (id) {
        id -> Uuid,
        username -> Text,
        email -> Nullable<Text>,
        name -> Nullable<Text>,
        given_name -> Nullable<Text>,
        family_name -> Nullable<Text>,
        kind -> Text,
        role -> Text,
        enabled -> Bool,
        expires_at -> Nullable<Timestamptz>,
        comment -> Nullable<Text>,
        metadata -> Jsonb,
        password_hash -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        last_used_at -> Nullable<Timestamptz>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    api_key_notices,
    api_keys,
    audit_events,
    idempotency_keys,
    leases,
    permissions,
    roles,
    team_memberships,
    teams,
    users,
);
