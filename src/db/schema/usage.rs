//! The tables of usage.

diesel::table! {
    usage_days (slot, user_id, resource, tag) {
        slot -> Timestamptz,
        user_id -> Uuid,
        api_key_id -> Nullable<Uuid>,
        team_id -> Nullable<Uuid>,
        resource -> Text,
        tag -> Text,
        events -> Int8,
        requests -> Int8,
        tokens -> Int8,
        tokens_in -> Int8,
        tokens_out -> Int8,
        tokens_cached -> Int8,
        micros -> Int8,
    }
}

diesel::table! {
    usage_events (id) {
        id -> Uuid,
        at -> Timestamptz,
        recorded_at -> Timestamptz,
        asker_id -> Nullable<Uuid>,
        api_key_id -> Nullable<Uuid>,
        user_id -> Uuid,
        team_id -> Nullable<Uuid>,
        requests -> Int8,
        tokens -> Int8,
        tokens_in -> Int8,
        tokens_out -> Int8,
        tokens_cached -> Int8,
        micros -> Int8,
        resource -> Text,
        tags -> Array<Text>,
        counters -> Array<Uuid>,
        state -> Text,
    }
}

diesel::table! {
    usage_months (slot, user_id, resource, tag) {
        slot -> Timestamptz,
        user_id -> Uuid,
        api_key_id -> Nullable<Uuid>,
        team_id -> Nullable<Uuid>,
        resource -> Text,
        tag -> Text,
        events -> Int8,
        requests -> Int8,
        tokens -> Int8,
        tokens_in -> Int8,
        tokens_out -> Int8,
        tokens_cached -> Int8,
        micros -> Int8,
    }
}

diesel::table! {
    usage_quarters (slot, user_id, resource, tag) {
        slot -> Timestamptz,
        user_id -> Uuid,
        api_key_id -> Nullable<Uuid>,
        team_id -> Nullable<Uuid>,
        resource -> Text,
        tag -> Text,
        events -> Int8,
        requests -> Int8,
        tokens -> Int8,
        tokens_in -> Int8,
        tokens_out -> Int8,
        tokens_cached -> Int8,
        micros -> Int8,
    }
}

diesel::table! {
    usage_team_days (slot, resource, tag) {
        slot -> Timestamptz,
        team_id -> Nullable<Uuid>,
        resource -> Text,
        tag -> Text,
        events -> Int8,
        requests -> Int8,
        tokens -> Int8,
        tokens_in -> Int8,
        tokens_out -> Int8,
        tokens_cached -> Int8,
        micros -> Int8,
    }
}

diesel::table! {
    usage_team_months (slot, resource, tag) {
        slot -> Timestamptz,
        team_id -> Nullable<Uuid>,
        resource -> Text,
        tag -> Text,
        events -> Int8,
        requests -> Int8,
        tokens -> Int8,
        tokens_in -> Int8,
        tokens_out -> Int8,
        tokens_cached -> Int8,
        micros -> Int8,
    }
}

diesel::table! {
    usage_team_quarters (slot, resource, tag) {
        slot -> Timestamptz,
        team_id -> Nullable<Uuid>,
        resource -> Text,
        tag -> Text,
        events -> Int8,
        requests -> Int8,
        tokens -> Int8,
        tokens_in -> Int8,
        tokens_out -> Int8,
        tokens_cached -> Int8,
        micros -> Int8,
    }
}
