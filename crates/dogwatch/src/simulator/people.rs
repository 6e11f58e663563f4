//! What people do when a message has reached them.

use escalation::alert::Audience;
use escalation::delivery::{Delivery, Purpose};
use escalation::event::{Actor, Input, Via};
use escalation::name::Name;
use jiff::{SignedDuration, Timestamp};

use super::company;
use super::dice::Dice;
use super::options::Options;

/// Something that a person does after a while.
pub(super) struct Reaction {
    pub(super) after: SignedDuration,
    pub(super) input: Input,
    /// The person wants to have the alert.
    pub(super) wants_it: bool,
}

fn millis(number: u64) -> SignedDuration {
    SignedDuration::from_millis(i64::try_from(number).unwrap_or(i64::MAX))
}

/// What one person does about one alert in one round: nothing, as a third of people do; or something, and perhaps
/// something more.
pub(super) fn react(
    dice: &mut Dice,
    person: &Name,
    delivery: &Delivery,
    now: Timestamp,
    options: &Options,
) -> Vec<Reaction> {
    if delivery.purpose != Purpose::Page || dice.one_in(3) {
        return Vec::new();
    }
    let by = || Actor { person: Some(person.clone()), label: person.to_string(), via: Via::Handset };
    let after = millis(dice.spread(1_000, 1_200_000));
    let one = |after: SignedDuration, input: Input| Reaction {
        after,
        wants_it: matches!(input, Input::Acknowledge { .. }),
        input,
    };
    let acknowledge = |take_over: bool| Input::Acknowledge { by: by(), take_over };
    let someone = company::person(dice.below(u64::from(options.people)));
    let someone = Name::new(&someone).unwrap_or_else(|_| person.clone());
    let mut reactions = match dice.below(20) {
        0 => vec![one(after, Input::NotMe { person: person.clone(), by: by() })],
        1 => vec![one(after, Input::Escalate { by: by(), to: None })],
        2 => vec![one(after, Input::Snooze { by: by(), until: now + after + SignedDuration::from_mins(30) })],
        3 => vec![one(after, Input::AddResponder { by: by(), person: someone })],
        4 => {
            let team = company::team(u8::try_from(dice.below(u64::from(options.teams))).unwrap_or_default());
            let to = Name::new(&team).map_or_else(|_| Audience::Person(person.clone()), Audience::Team);
            vec![one(after, Input::Reassign { by: by(), to })]
        }
        5 => vec![one(after, Input::Resolve(by()))],
        6 => vec![one(after, acknowledge(false)), one(after + millis(dice.below(5_000)), acknowledge(false))],
        7 => vec![one(after, acknowledge(true))],
        8 => vec![one(after, acknowledge(false)), one(after + millis(60_000), Input::Unacknowledge(by()))],
        9 => vec![
            one(after, acknowledge(false)),
            one(after + millis(5_000), Input::Note { by: by(), text: "on it".into() }),
        ],
        _ => vec![one(after, acknowledge(false))],
    };
    if dice.one_in(2) {
        reactions.push(one(after + millis(dice.spread(60_000, 3 * 3_600_000)), Input::Resolve(by())));
    }
    reactions
}
