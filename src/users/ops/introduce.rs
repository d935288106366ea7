//! A user that comes in by a link, and says what it is called and its password.

use uuid::Uuid;

use crate::audit::model::Change;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::error::Result;
use crate::replicas::model::Tag;
use crate::text;
use crate::users::model::User;
use crate::users::store;

/// What it says of itself. Texts are as they were given; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct Introduction {
    /// See [`User::name`].
    pub name: Option<String>,
    /// See [`User::given_name`].
    pub given_name: Option<String>,
    /// See [`User::family_name`].
    pub family_name: Option<String>,
}

impl Introduction {
    /// The texts as they are stored.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming the field.
    pub fn checked(self) -> Result<Self> {
        let line =
            |field: &str, text: Option<String>| text::optional_line(field, text.as_deref(), 200);
        Ok(Introduction {
            name: line("input.name", self.name)?,
            given_name: line("input.givenName", self.given_name)?,
            family_name: line("input.familyName", self.family_name)?,
        })
    }

    /// Puts what was said on the user.
    pub fn put_on(self, user: &mut User) {
        let keep = |said: Option<String>, had: &mut Option<String>| {
            if said.is_some() {
                *had = said;
            }
        };
        keep(self.name, &mut user.name);
        keep(self.given_name, &mut user.given_name);
        keep(self.family_name, &mut user.family_name);
    }
}

/// Stores it, with the hash of the password, for a user that can act; `None` for any other. The user stays locked until the transaction
/// ends. Whose business that is has been decided by whoever calls this.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn introduce(
    ctx: &Ctx,
    tx: &mut Tx,
    id: Uuid,
    said: Introduction,
    hash: String,
) -> Result<Option<(User, Change)>> {
    tx.touch([Tag::User(id)]);
    let found = store::lock(tx, id).await?;
    let Some(before) = found.filter(|user| user.can_act(ctx.now())) else {
        return Ok(None);
    };
    let mut after = User {
        password_hash: Some(hash),
        must_change_password: false,
        password_changed_at: Some(ctx.now()),
        updated_at: ctx.now(),
        ..before.clone()
    };
    said.put_on(&mut after);
    store::introduce(tx, &after).await?;
    let (was, is) = (before.snapshot(), after.snapshot());
    let change = Change::updated("user.introduce", after.typed_id(), was, is);
    Ok(Some((after, change)))
}
