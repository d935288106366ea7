//! Basic authentication with a user's own name and password, for scripts: of users who have no second factor and need none.

use std::net::IpAddr;
use std::sync::Arc;

use uuid::Uuid;

use super::{Authenticator, refused};
use crate::ctx::{Actor, Holder};
use crate::error::Result;
use crate::factors::ops as factors;
use crate::permissions::model::Principal;
use crate::permissions::ops::facts;
use crate::secrets::{Digest, Secret};
use crate::sessions::ops::Proving;
use crate::users;
use crate::users::model::User;

impl Authenticator {
    /// The user with that login and password. Nothing is remembered of it but that the password is right, for some minutes.
    pub(super) async fn by_password(
        &self,
        login: &str,
        password: &Secret,
        ip: Option<IpAddr>,
    ) -> Result<Actor> {
        let proving = Proving {
            db: &self.db,
            now: self.clock.now(),
            passwords: &self.people.passwords,
            cost: self.people.cost,
            ip,
        };
        let user = proving.user(login, password).await?;
        let holder = self.holding(&user).await?;
        self.last_used.note_user(user.id, holder.facts.now());
        Ok(Actor::Holder(Arc::new(holder)))
    }

    /// The same user anew, as its password is now.
    pub(super) async fn known_by_password(&self, id: Uuid) -> Result<Holder> {
        let found = users::ops::by_ids(&self.db, vec![id]).await?.remove(&id);
        let user = found.ok_or_else(|| refused("The user who is calling has been deleted."))?;
        self.holding(&user).await
    }

    async fn holding(&self, user: &User) -> Result<Holder> {
        let now = self.clock.now();
        if !user.can_act(now) {
            return Err(refused("This user is disabled or has expired."));
        }
        if user.must_change_password {
            return Err(refused(
                "Somebody else has set this password. Sign in with it once, by the mutation signIn, and choose one of your own in input.newPassword.",
            ));
        }
        let principal = Principal::User(user.id);
        let mut conn = self.db.read("facts_of_user").await?;
        let stands = factors::standing(&mut conn, &self.people.first, user).await?;
        if stands.has || stands.required {
            return Err(refused(
                "This user signs in with a second factor, which Basic authentication has no place for. Sign in by the mutation signIn, or use an API key.",
            ));
        }
        let facts = facts::of_principal(&mut conn, now, principal).await?;
        let hash = user.password_hash.as_deref().unwrap_or_default();
        Ok(Holder {
            user_id: user.id,
            username: user.username.clone(),
            api_key_id: None,
            session_id: None,
            principal,
            facts: facts.ok_or_else(|| refused("The user who is calling has been deleted."))?,
            // Another password is another credential; what is stored for the holder of one is not sealed by a password, which can be guessed.
            credential: Digest::of(format!("password {} {hash}", user.id).as_bytes()),
            sealing: None,
        })
    }
}
