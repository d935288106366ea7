//! The rules for what people say of a key.

use chrono::{DateTime, TimeDelta, Utc};
use ipnet::{IpNet, Ipv4Net};

use crate::api_keys::model::{ApiKey, KeyPermission};
use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::permissions::path::Path;
use crate::policy::model::{KeyField, Policy};
use crate::policy::ops as policy;

/// Permissions of one key at most.
pub const MAX_PERMISSIONS: usize = 100;
/// Ranges of addresses of one key at most.
pub const MAX_CIDRS: usize = 100;

/// A permission with its path read.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) path: Path,
    pub(super) role: String,
    pub(super) propagate: bool,
    pub(super) expires_at: Option<DateTime<Utc>>,
}

/// Until when a key lives that is to end at `end`: no longer than `longest`.
pub(super) fn lifetime(
    ctx: &Ctx,
    longest: Option<TimeDelta>,
    field: &str,
    end: Option<DateTime<Utc>>,
) -> Result<Option<DateTime<Utc>>> {
    to_come(ctx, field, end)?;
    no_longer(ctx, longest, field, ctx.now(), end)
}

/// An end that is given lies in the future.
pub(super) fn to_come(ctx: &Ctx, field: &str, end: Option<DateTime<Utc>>) -> Result<()> {
    if end.is_some_and(|end| end <= ctx.now()) {
        return Err(Error::bad_input(
            field,
            format!("{field} lies in the past. Give a moment to come, or none."),
        ));
    }
    Ok(())
}

/// The same of a secret that was made at `since`: prolonging a key does not prolong what the policy allows to its secret.
pub(super) fn no_longer(
    ctx: &Ctx,
    longest: Option<TimeDelta>,
    field: &str,
    since: DateTime<Utc>,
    end: Option<DateTime<Utc>>,
) -> Result<Option<DateTime<Utc>>> {
    let Some(longest) = longest else {
        return Ok(end);
    };
    let latest = since + longest;
    let wanted = end.unwrap_or(latest);
    if wanted <= latest && wanted > ctx.now() {
        return Ok(Some(wanted));
    }
    Err(Error::bad_input(
        field,
        format!(
            "{field} is too late: keys live at most {} here, so this secret until {}. Rotating gives the key a new one.",
            told(longest),
            latest.format("%Y-%m-%dT%H:%M:%SZ")
        ),
    ))
}

fn told(length: TimeDelta) -> String {
    match length.num_seconds() {
        seconds if seconds % 86_400 == 0 => format!("{} days", length.num_days()),
        seconds => format!("{seconds} seconds"),
    }
}

/// That end, or the latest that the policy allows to a secret that is made now.
pub(super) fn at_most(
    ctx: &Ctx,
    longest: Option<TimeDelta>,
    end: Option<DateTime<Utc>>,
) -> Option<DateTime<Utc>> {
    let latest = longest.map(|longest| ctx.now() + longest);
    match (end, latest) {
        (Some(end), Some(latest)) => Some(end.min(latest)),
        (end, latest) => end.or(latest),
    }
}

/// What the policy requires and the key lacks. What a change leaves missing that was missing before stays so.
pub(super) fn missing(
    ctx: &Ctx,
    policy: &Policy,
    before: Option<&ApiKey>,
    after: &ApiKey,
) -> Option<KeyField> {
    let is_new = |field: &KeyField| before.is_none_or(|before| has(before, *field));
    let rules = policy::binding(ctx, policy)?;
    let mut required = rules.required.iter();
    required
        .find(|field| !has(after, **field) && is_new(field))
        .copied()
}

/// Demands that a key lacks nothing. `at` is the path of the input.
///
/// # Errors
/// `BAD_USER_INPUT` naming the field.
pub(super) fn complete(at: &str, missing: Option<KeyField>) -> Result<()> {
    let Some(field) = missing else {
        return Ok(());
    };
    let field = format!("{at}.{}", field.input());
    let message = format!(
        "The policy requires {field}: every key that others than administrators make or change must have it."
    );
    Err(Error::bad_input(field, message))
}

fn has(key: &ApiKey, field: KeyField) -> bool {
    match field {
        KeyField::Description => key.description.is_some(),
        KeyField::ExpiresAt => key.expires_at.is_some(),
        KeyField::AllowedCidrs => !key.allowed_cidrs.is_empty(),
        KeyField::Permissions => key.restricted,
    }
}

/// Ranges as they are stored, each once.
pub(super) fn cidrs(field: &str, cidrs: &[IpNet]) -> Result<Vec<String>> {
    few(field, cidrs.len(), MAX_CIDRS, "ranges of addresses")?;
    let mut texts: Vec<String> = Vec::with_capacity(cidrs.len());
    for cidr in cidrs {
        let text = canonical(*cidr).to_string();
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    Ok(texts)
}

/// A range of IPv4-mapped addresses (RFC 4291, 2.5.5.2) is the range of IPv4 addresses that it means: as such clients are known.
fn canonical(cidr: IpNet) -> IpNet {
    let IpNet::V6(net) = cidr else {
        return cidr;
    };
    let mapped = net.addr().to_ipv4_mapped();
    let length = net.prefix_len().checked_sub(96);
    let narrow = mapped
        .zip(length)
        .and_then(|(address, length)| Ipv4Net::new(address, length).ok());
    narrow.map_or(cidr, IpNet::V4)
}

/// Permissions with their paths read: no two alike, none over already.
pub(super) fn permissions(
    ctx: &Ctx,
    field: &str,
    permissions: Vec<KeyPermission>,
) -> Result<Vec<Wanted>> {
    few(field, permissions.len(), MAX_PERMISSIONS, "permissions")?;
    let mut wanted: Vec<Wanted> = Vec::with_capacity(permissions.len());
    for (index, permission) in permissions.into_iter().enumerate() {
        let field = |part: &str| format!("{field}.{index}.{part}");
        let path = Path::parse(&permission.path)
            .map_err(|error| Error::bad_input(field("path"), format!("{error}.")))?;
        if permission.expires_at.is_some_and(|end| end <= ctx.now()) {
            let field = field("expiresAt");
            let message = format!("{field} lies in the past. Give a moment to come, or none.");
            return Err(Error::bad_input(field, message));
        }
        let twice = |other: &Wanted| {
            other.path == path && other.role.eq_ignore_ascii_case(&permission.role)
        };
        if wanted.iter().any(twice) {
            let message = format!(
                "The role {} at {path} is given twice. Give it once.",
                crate::db::ids::quoted(&permission.role)
            );
            return Err(Error::bad_input(field("role"), message));
        }
        wanted.push(Wanted {
            path,
            role: permission.role,
            propagate: permission.propagate,
            expires_at: permission.expires_at,
        });
    }
    Ok(wanted)
}

fn few(field: &str, count: usize, most: usize, what: &str) -> Result<()> {
    if count > most {
        return Err(Error::bad_input(
            field,
            format!("{field} has {count} elements. A key has at most {most} {what}."),
        ));
    }
    Ok(())
}
