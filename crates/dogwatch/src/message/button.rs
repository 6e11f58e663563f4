//! What a message's reader may press, where the channel has buttons.
//!
//! Here is which buttons there are; what pressing one does is in `reply/press.rs`.

use escalation::alert::Status;
use escalation::delivery::Purpose;
use escalation::id::{AlertId, DeliveryId};

use super::{Addresses, Language, say};
use crate::store::Claim;

/// What a button does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Press {
    /// I have it.
    Acknowledge,
    /// It is over.
    Resolve,
    /// Not me.
    NotMe,
}

impl Press {
    /// Every one, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Acknowledge, Self::Resolve, Self::NotMe];

    /// The word for it, for programs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Resolve => "resolve",
            Self::NotMe => "not_me",
        }
    }

    /// What stands on its button.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Acknowledge => "I have it",
            Self::Resolve => "Resolved",
            Self::NotMe => "Not me",
        }
    }
}

/// What a button is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pressed {
    /// One alert.
    Alert(AlertId),
    /// Everything that one message held, by the first delivery in it.
    All(DeliveryId),
}

/// A button of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// What it does.
    pub press: Press,
    /// What stands on it.
    pub label: String,
    /// What comes back when it is pressed: at most 64 letters, digits, `-`, `_` and `.`.
    pub code: String,
}

impl Addresses<'_> {
    pub(super) fn button(&self, press: Press, label: String, about: Pressed) -> Button {
        Button { press, label, code: (self.code)(press, about) }
    }

    /// The buttons of a message about one alert, as far as pressing them does anything.
    pub(super) fn buttons(&self, claim: &Claim, language: Language) -> Vec<Button> {
        let Some(alert) = claim.alert.as_ref().filter(|_| claim.delivery.purpose == Purpose::Page) else {
            return Vec::new();
        };
        if alert.status == Status::Resolved {
            return Vec::new();
        }
        let waits = claim.waits();
        let mine = Press::ALL.into_iter().filter(|press| match press {
            Press::Acknowledge => waits,
            Press::Resolve => true,
            // Only who was asked can say so.
            Press::NotMe => waits && claim.page.is_some(),
        });
        mine.map(|press| self.button(press, say(press.label(), language), Pressed::Alert(alert.id))).collect()
    }
}
