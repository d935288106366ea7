//! Mutations on second factors.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};

use super::inputs::{
    ConfirmPasskeyInput, ConfirmTotpInput, EnrolPasskeyInput, EnrolTotpInput,
    RegenerateRecoveryCodesInput, RemoveSecondFactorInput, UpdateSecondFactorInput, offered, proof,
};
use super::types::SecondFactor;
use crate::db::ids::{Id, Kind};
use crate::error::Result;
use crate::factors::ops;
use crate::graphql::request;
use crate::graphql::scalars::{Json, Timestamp};
use crate::secrets::Secret;

/// What `enrolTotp` answers: the secret, this once.
#[derive(SimpleObject)]
pub struct EnrolTotpPayload {
    /// What apps read: an `otpauth` URI.
    uri: String,
    /// The secret in base32, for who types it.
    secret: String,
    /// The URI as a QR code: an SVG document.
    qr_code: String,
    /// Until when `confirmTotp` takes its codes.
    expires_at: Timestamp,
}

/// What `confirmTotp` answers.
#[derive(SimpleObject)]
pub struct ConfirmTotpPayload {
    /// The second factor that was set up.
    second_factor: SecondFactor,
    /// Ten codes for when the app is lost, each good once. They are shown this once and cannot be read again. Null where you have some already.
    recovery_codes: Option<Vec<String>>,
}

/// What `enrolPasskey` answers.
#[derive(SimpleObject)]
pub struct EnrolPasskeyPayload {
    /// Names the challenge, for `confirmPasskey`. It is good once.
    challenge: String,
    /// What the browser makes a passkey by: the `PublicKeyCredentialCreationOptionsJSON` of Web Authentication, Level 3.
    options: Json,
    /// Until when `confirmPasskey` takes what was made: five minutes.
    expires_at: Timestamp,
}

/// What `confirmPasskey` answers.
#[derive(SimpleObject)]
pub struct ConfirmPasskeyPayload {
    /// The second factor that was set up.
    second_factor: SecondFactor,
    /// Ten codes for when the passkey is lost, each good once. They are shown this once and cannot be read again. Null where you have some
    /// already.
    recovery_codes: Option<Vec<String>>,
}

/// What `regenerateRecoveryCodes` answers.
#[derive(SimpleObject)]
pub struct RegenerateRecoveryCodesPayload {
    /// Ten codes, each good once. They are shown this once and cannot be read again; those before them are not good any more.
    recovery_codes: Vec<String>,
}

/// What `updateSecondFactor` answers.
#[derive(SimpleObject)]
pub struct UpdateSecondFactorPayload {
    /// The second factor.
    second_factor: SecondFactor,
}

/// What `removeSecondFactor` answers.
#[derive(SimpleObject)]
pub struct RemoveSecondFactorPayload {
    /// The id of the second factor that is gone.
    removed_second_factor_id: ID,
}

/// Mutations on second factors.
#[derive(Default)]
pub struct FactorMutations;

#[Object]
impl FactorMutations {
    /// Begins to set up an app that makes codes: answers its secret, to be scanned or typed. It counts once `confirmTotp` has seen a code of
    /// it. Needs proof that it is you.
    async fn enrol_totp(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What it is called, and proof that it is you.")] input: EnrolTotpInput,
    ) -> Result<EnrolTotpPayload> {
        let proof = proof(input.password, offered(input.otp, input.passkey));
        let name = input.name.as_deref();
        let made = ops::enrol_totp(&request(context).ctx, name, proof).await?;
        Ok(EnrolTotpPayload {
            uri: made.uri.expose().to_owned(),
            secret: made.secret.expose().to_owned(),
            qr_code: made.qr_code.expose().to_owned(),
            expires_at: Timestamp(made.expires_at),
        })
    }

    /// Confirms the app that you have begun to set up. From then on signing in asks for a code. With the first second factor come recovery
    /// codes, and your other sessions end.
    async fn confirm_totp(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "A code of it.")] input: ConfirmTotpInput,
    ) -> Result<ConfirmTotpPayload> {
        let code = Secret::new(input.code);
        let made = ops::confirm_totp(&request(context).ctx, code).await?;
        Ok(ConfirmTotpPayload {
            second_factor: SecondFactor(Arc::new(made.factor)),
            recovery_codes: made.recovery_codes.as_deref().map(shown),
        })
    }

    /// Begins to set up a passkey: answers what a browser makes one by, with `PublicKeyCredential.parseCreationOptionsFromJSON` and
    /// `navigator.credentials.create`, on a page of `public_url`. It counts once `confirmPasskey` has seen what was made. Needs proof that it is
    /// you.
    async fn enrol_passkey(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Proof that it is you.")] input: EnrolPasskeyInput,
    ) -> Result<EnrolPasskeyPayload> {
        let proof = proof(input.password, offered(input.otp, input.passkey));
        let made = ops::enrol_passkey(&request(context).ctx, proof).await?;
        Ok(EnrolPasskeyPayload {
            challenge: made.token.expose().to_owned(),
            options: Json(made.options),
            expires_at: Timestamp(made.expires_at),
        })
    }

    /// Confirms the passkey that you have begun to set up. From then on it signs you in, alone or beside a password, and signing in with a
    /// password asks for a second factor. With the first second factor come recovery codes, and your other sessions end.
    async fn confirm_passkey(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What the browser has made, and its name.")] input: ConfirmPasskeyInput,
    ) -> Result<ConfirmPasskeyPayload> {
        let made = ops::confirm_passkey(&request(context).ctx, input.read()).await?;
        Ok(ConfirmPasskeyPayload {
            second_factor: SecondFactor(Arc::new(made.factor)),
            recovery_codes: made.recovery_codes.as_deref().map(shown),
        })
    }

    /// Makes new recovery codes in place of those that you have. Needs proof that it is you.
    async fn regenerate_recovery_codes(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Proof that it is you.")] input: RegenerateRecoveryCodesInput,
    ) -> Result<RegenerateRecoveryCodesPayload> {
        let proof = proof(None, offered(input.otp, input.passkey));
        let codes = ops::regenerate(&request(context).ctx, proof).await?;
        Ok(RegenerateRecoveryCodesPayload {
            recovery_codes: shown(&codes),
        })
    }

    /// Gives a second factor another name: your own, or, with `user.write` at the user's path, another user's.
    async fn update_second_factor(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The second factor, and its name.")] input: UpdateSecondFactorInput,
    ) -> Result<UpdateSecondFactorPayload> {
        let id = Id::parse_as(Kind::SecondFactor, "input.id", &input.id)?;
        let factor = ops::rename(&request(context).ctx, id, &input.name).await?;
        Ok(UpdateSecondFactorPayload {
            second_factor: SecondFactor(Arc::new(factor)),
        })
    }

    /// Removes a second factor, and with the last one the recovery codes. Your own: needs proof that it is you. One that
    /// another user has lost: needs `user.write` at the user's path and all that the user holds; its sessions end, and it is told by mail.
    async fn remove_second_factor(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The second factor, and proof that it is you if it is your own.")]
        input: RemoveSecondFactorInput,
    ) -> Result<RemoveSecondFactorPayload> {
        let id = Id::parse_as(Kind::SecondFactor, "input.id", &input.id)?;
        let proof = proof(None, offered(input.otp, input.passkey));
        ops::remove(&request(context).ctx, id, proof).await?;
        Ok(RemoveSecondFactorPayload {
            removed_second_factor_id: input.id,
        })
    }
}

fn shown(codes: &[Secret]) -> Vec<String> {
    codes.iter().map(|code| code.expose().to_owned()).collect()
}
