//! The operations on access requests.

mod asked;
mod letters;
mod read;
mod request;
mod review;
mod withdraw;

pub use read::{by_ids, cursor, list, may_read};
pub use request::{MAX_OPEN, request};
pub use review::review;
pub use withdraw::withdraw;

use std::sync::Arc;

use uuid::Uuid;

use super::model::AccessRequest;
use crate::ctx::Ctx;
use crate::db::ids::{Id, Kind, quoted};
use crate::error::{Error, Result};
use crate::permissions::ops::access;
use crate::permissions::path::Path;

/// See what people ask for, wherever.
pub const READ: &str = "accessRequest.read";

/// Where the request lies: the paths of what it asks for.
///
/// # Errors
/// An internal error if one cannot be read.
fn places(request: &AccessRequest) -> Result<Vec<Path>> {
    let paths = request.paths.iter().map(|path| Path::parse(path));
    paths
        .collect::<std::result::Result<_, _>>()
        .map_err(|error| Error::internal(error.to_string()))
}

/// Where its events are read: by its own path, by its user's, and by those of what it asks for.
fn paths(request: &AccessRequest) -> Result<Vec<Path>> {
    let own = [
        access::object(Kind::AccessRequest, request.id),
        access::object(Kind::User, request.user_id),
    ];
    Ok(own.into_iter().chain(places(request)?).collect())
}

/// The error of a request that is not there or may not be seen.
fn absent(id: Uuid) -> Error {
    let id = Id::new(Kind::AccessRequest, id).to_string();
    let id = quoted(&id);
    Error::not_found(
        "input.id",
        format!("There is no access request {id}, or you may not see it."),
    )
}

/// The request, if the actor may see it.
async fn seen(ctx: &Ctx, id: Uuid) -> Result<Arc<AccessRequest>> {
    access::authenticated(ctx)?;
    match by_ids(&ctx.db, vec![id]).await?.remove(&id) {
        Some(request) if may_read(ctx, &request)? => Ok(request),
        _ => Err(absent(id)),
    }
}
