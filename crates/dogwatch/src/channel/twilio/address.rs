//! The addresses at which a provider calls us back about one attempt of a delivery.
//!
//! They name the attempt, so that an answer finds its place whether or not we have heard the provider's own name
//! for it. They hold no secret: who calls them has to sign.

use escalation::id::DeliveryId;

use crate::message::Message;

/// Makes the addresses of one attempt.
#[derive(Clone, Copy, Debug)]
pub struct Address<'a> {
    /// Where Dogwatch is reached, without a slash at its end.
    pub public_url: &'a str,
    /// The provider's name in the configuration.
    pub name: &'a str,
    /// The message.
    pub message: &'a Message,
}

impl Address<'_> {
    /// Where receipts go.
    pub fn status(&self) -> String {
        let Self { public_url, name, message } = self;
        format!(
            "{public_url}/callbacks/twilio/{name}/status?delivery={}&attempt={}",
            message.delivery, message.attempt
        )
    }

    /// Where the key goes that was pressed when the caller was asked for the `turn`th time, from 0.
    pub fn keys(&self, turn: u32) -> String {
        keys(self.public_url, self.name, self.message.delivery, self.message.attempt, turn, false)
    }
}

/// The same for a call that is under way; with `six` a 6 was pressed before.
pub fn keys(public_url: &str, name: &str, delivery: DeliveryId, attempt: u8, turn: u32, six: bool) -> String {
    let six = if six { "&six=1" } else { "" };
    format!(
        "{public_url}/callbacks/twilio/{name}/keys?delivery={delivery}&attempt={attempt}&turn={turn}{six}"
    )
}
