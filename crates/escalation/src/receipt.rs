//! Receipts: what a provider says of a message after it took it, in whatever order that comes in.
//!
//! What is said is a place in an order, and only the highest that was said counts. So receipts that come late,
//! twice or in another order lead to the same state. Pure; what a state means for the alert is
//! [`Receipt::sent`], what it means for the plan see [`crate::page`].

use crate::event::Sent;

/// What is known of a message that a provider took, lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Receipt {
    /// Nothing but that the provider took it.
    Taken,
    /// It is on its way: the telephone rings, the network has it.
    Underway,
    /// The call was taken up and is over. By whom is not known: it may have been a machine.
    Completed,
    /// It did not arrive.
    Failed,
    /// It rang, and nobody was there: no answer, a busy line, a machine.
    NotTaken,
    /// It arrived: the telephone confirmed the message, or a person pressed a key.
    Arrived,
}

impl Receipt {
    /// Every state, lowest first.
    pub const ALL: [Self; 6] =
        [Self::Taken, Self::Underway, Self::Completed, Self::Failed, Self::NotTaken, Self::Arrived];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Underway => "underway",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::NotTaken => "not_taken",
            Self::Arrived => "arrived",
        }
    }

    /// What is known after both were said.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        self.max(other)
    }

    /// What the alert has to be told of it; nothing, as long as the message may have come in.
    pub const fn sent(self) -> Option<Sent> {
        match self {
            Self::Failed => Some(Sent::Undelivered),
            Self::NotTaken => Some(Sent::NotTaken),
            Self::Taken | Self::Underway | Self::Completed | Self::Arrived => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipts_in_every_order_and_twice_lead_to_one_state() {
        for one in Receipt::ALL {
            assert_eq!(one.join(one), one);
            for other in Receipt::ALL {
                assert_eq!(one.join(other), other.join(one));
                for third in Receipt::ALL {
                    assert_eq!(one.join(other).join(third), one.join(other.join(third)));
                }
            }
        }
    }

    #[test]
    fn a_machine_that_took_the_call_is_no_person_whatever_else_was_said() {
        let said = [Receipt::Underway, Receipt::Completed, Receipt::NotTaken];
        let known = said.into_iter().fold(Receipt::Taken, Receipt::join);
        assert_eq!(known.sent(), Some(Sent::NotTaken));
        assert_eq!(known.join(Receipt::Arrived).sent(), None, "but a key that was pressed is one");
    }
}
