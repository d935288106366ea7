// @generated automatically by Diesel CLI.

mod factors;
mod links;
mod receivers;
mod usage;
pub use factors::{factor_challenges, recovery_codes, second_factors, used_challenges};
pub use links::{access_requests, invitations, magic_links};
pub use receivers::{webhook_deliveries, webhooks};
pub use usage::{usage_days, usage_events, usage_months, usage_quarters, usage_team_days, usage_team_months, usage_team_quarters};

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
        via -> Nullable<Text>,
    }
}

diesel::table! {
    budget_notices (counter_id, since, kind, micros) {
        counter_id -> Uuid,
        since -> Timestamptz,
        kind -> Text,
        micros -> Int8,
        told -> Bool,
    }
}

diesel::table! {
    budgets (id) {
        id -> Uuid,
        limit_id -> Uuid,
        name -> Text,
        max_micros -> Int8,
        soft_micros -> Nullable<Int8>,
        window_count -> Nullable<Int4>,
        window_unit -> Nullable<Text>,
        window_anchor -> Nullable<Timestamptz>,
        window_zone -> Nullable<Text>,
        include_past_spend -> Bool,
        armed_at -> Timestamptz,
        raised_max_micros -> Nullable<Int8>,
        raised_until -> Nullable<Timestamptz>,
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
    limit_counters (id) {
        id -> Uuid,
        limit_id -> Uuid,
        budget_id -> Nullable<Uuid>,
        user_id -> Nullable<Uuid>,
        since -> Timestamptz,
        spent -> Int8,
        reserved -> Int8,
        minute -> Timestamptz,
        requests -> Int8,
        tokens -> Int8,
        parallel -> Int8,
    }
}

diesel::table! {
    limit_policies (name) {
        name -> Text,
        requests_per_minute -> Nullable<Int8>,
        tokens_per_minute -> Nullable<Int8>,
        max_parallel -> Nullable<Int8>,
        budgets -> Jsonb,
    }
}

diesel::table! {
    limits (id) {
        id -> Uuid,
        subject -> Text,
        api_key_id -> Nullable<Uuid>,
        user_id -> Nullable<Uuid>,
        team_id -> Nullable<Uuid>,
        each_member -> Bool,
        requests_per_minute -> Nullable<Int8>,
        tokens_per_minute -> Nullable<Int8>,
        max_parallel -> Nullable<Int8>,
        raised_requests_per_minute -> Nullable<Int8>,
        raised_tokens_per_minute -> Nullable<Int8>,
        raised_max_parallel -> Nullable<Int8>,
        raised_until -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    outbox (id) {
        id -> Uuid,
        lane -> Text,
        payload -> Nullable<Bytea>,
        subject -> Nullable<Uuid>,
        attempts -> Int4,
        created_at -> Timestamptz,
        due_at -> Nullable<Timestamptz>,
        dead_at -> Nullable<Timestamptz>,
        error -> Nullable<Text>,
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
    policies (id) {
        id -> Bool,
        user_role -> Text,
        team_ids -> Array<Uuid>,
        team_roles -> Array<Text>,
        personal_key_makers -> Nullable<Array<Text>>,
        team_key_makers -> Nullable<Array<Text>>,
        required_key_fields -> Array<Text>,
        max_lifetime_seconds -> Nullable<Int8>,
        max_keys_per_user -> Nullable<Int8>,
        second_factor_roles -> Array<Text>,
    }
}

diesel::table! {
    reservations (id) {
        id -> Uuid,
        asker_id -> Nullable<Uuid>,
        api_key_id -> Uuid,
        user_id -> Uuid,
        team_id -> Nullable<Uuid>,
        at -> Timestamptz,
        expires_at -> Timestamptz,
        counters -> Array<Uuid>,
        requests -> Int8,
        tokens -> Int8,
        micros -> Int8,
        resource -> Text,
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
    sessions (id) {
        id -> Uuid,
        user_id -> Uuid,
        digest -> Bytea,
        method -> Text,
        device -> Nullable<Text>,
        created_from -> Nullable<Text>,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        last_used_at -> Timestamptz,
        last_used_from -> Nullable<Text>,
    }
}

diesel::table! {
    sign_in_attempts (key) {
        key -> Bytea,
        count -> Int4,
        last_at -> Timestamptz,
        until -> Timestamptz,
    }
}

diesel::table! {
    shown_secrets (api_key_id) {
        api_key_id -> Uuid,
        maker_id -> Uuid,
        sealed -> Bytea,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    team_memberships (team_id, user_id) {
        team_id -> Uuid,
        user_id -> Uuid,
        role -> Text,
        since -> Timestamptz,
        expires_at -> Nullable<Timestamptz>,
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
        must_change_password -> Bool,
        password_changed_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        last_used_at -> Nullable<Timestamptz>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    api_key_notices,
    api_keys,
    audit_events,
    budget_notices,
    budgets,
    idempotency_keys,
    leases,
    limit_counters,
    limit_policies,
    limits,
    outbox,
    permissions,
    reservations,
    roles,
    sessions,
    sign_in_attempts,
    team_memberships,
    teams,
    usage_days,
    usage_events,
    usage_months,
    usage_quarters,
    usage_team_days,
    usage_team_months,
    usage_team_quarters,
    users,
);
