//! People and their notification plans: how one person wants to be reached.

use jiff::SignedDuration;

use crate::contact::Contact;
use crate::event::Urgency;
use crate::name::Name;
use crate::plan::Hours;

/// The most steps that a notification plan may have.
pub const MAX_STEPS: usize = 20;
/// The most contacts that a person may have.
pub const MAX_CONTACTS: usize = 20;
/// How long a step waits when neither a wait nor a repeat was written.
pub const DEFAULT_WAIT: SignedDuration = SignedDuration::from_mins(5);
/// The least time between two repeats of a plan's last step, which goes on until somebody answers.
pub const MIN_LAST_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// Somebody who can be paged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The identity.
    pub name: Name,
    /// The name that people read.
    pub full_name: String,
    /// IANA name of the zone in which this person reads times.
    pub zone: String,
    /// BCP 47 tag of the language that this person is spoken to in.
    pub language: String,
    /// Every way to reach this person, in the order in which they are tried where no plan says otherwise.
    pub contacts: Vec<Contact>,
    /// The plan for urgency high.
    pub high: Option<NotificationPlan>,
    /// The plan for urgency low.
    pub low: Option<NotificationPlan>,
}

/// A person's ordered steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotificationPlan {
    /// At least one, at most [`MAX_STEPS`].
    pub steps: Vec<NotificationStep>,
}

/// One step of a notification plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotificationStep {
    /// Where to.
    pub contact: Contact,
    /// How long to wait for an answer before the next step.
    pub wait: Option<SignedDuration>,
    /// How often to try this contact again within the wait; in the last step: until answered.
    pub every: Option<SignedDuration>,
    /// Only for pages that begin then; none: for all.
    pub during: Option<Hours>,
}

impl NotificationStep {
    /// The wait that applies: as written, else the repeat, else [`DEFAULT_WAIT`].
    pub fn effective_wait(&self) -> SignedDuration {
        self.wait.or(self.every).unwrap_or(DEFAULT_WAIT)
    }
}

impl Person {
    /// The plan for an urgency: its own; for low the high one where there is no low plan; with no plan
    /// at all every contact in order, [`DEFAULT_WAIT`] each. `None` when there is nothing to try.
    pub fn plan(&self, urgency: Urgency) -> Option<NotificationPlan> {
        let own = match urgency {
            Urgency::High => self.high.as_ref(),
            Urgency::Low => self.low.as_ref().or(self.high.as_ref()),
        };
        let plan = own.cloned().unwrap_or_else(|| NotificationPlan {
            steps: self
                .contacts
                .iter()
                .map(|contact| NotificationStep {
                    contact: contact.clone(),
                    wait: None,
                    every: None,
                    during: None,
                })
                .collect(),
        });
        (!plan.steps.is_empty()).then_some(plan)
    }

    /// Whether there is a contact that can wake this person.
    pub fn can_be_woken(&self) -> bool {
        self.contacts.iter().any(|contact| contact.kind().can_wake())
    }

    /// Where something goes that may wait: the first contact that does not speak aloud.
    pub fn quiet_contact(&self) -> Option<Contact> {
        self.contacts.iter().find(|contact| !contact.kind().is_voice()).cloned()
    }

    /// Where a notice goes: through `reached`, where the page came in, unless that speaks aloud; then
    /// through the first contact that does not.
    pub fn notice_contact(&self, reached: &Contact) -> Option<Contact> {
        std::iter::once(reached).chain(&self.contacts).find(|contact| !contact.kind().is_voice()).cloned()
    }
}
