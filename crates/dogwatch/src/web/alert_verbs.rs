//! What the forms of alerts ask for: a verb of the address, and what was chosen, as an input of the machine.

use escalation::alert::Audience;
use escalation::event::{Input, Via};
use escalation::name::Name;

use super::{Viewer, url};
use crate::http::App;

/// The verbs that can be done to several alerts at once, each with what is said afterwards.
pub(super) const OF_SEVERAL: [(&str, &str); 4] = [
    ("acknowledge", "You have"),
    ("resolve", "Over now:"),
    ("snooze", "Put aside:"),
    ("escalate", "More people are asked for"),
];

/// Reads a form. None: it asks for nothing that there is, or leaves out what is needed.
pub(super) fn read(app: &App, viewer: &Viewer, verb: &str, form: &str) -> Option<Input> {
    let by = app.actor(&viewer.0, Via::Web);
    let value = |name: &str| url::form_value(form, name);
    Some(match verb {
        "acknowledge" => Input::Acknowledge { by, take_over: false },
        "take-over" => Input::Acknowledge { by, take_over: true },
        "unacknowledge" => Input::Unacknowledge(by),
        "resolve" => Input::Resolve(by),
        "escalate" => Input::Escalate { by, to: None },
        "snooze" => {
            let length = escalation::duration::parse(&value("for")?).ok()?;
            Input::Snooze { by, until: app.clock.now() + length }
        }
        "reassign" => {
            let to = value("to")?;
            let (kind, name) = to.split_once(':')?;
            let name = Name::new(name).ok()?;
            let to = if kind == "team" { Audience::Team(name) } else { Audience::Person(name) };
            Input::Reassign { by, to }
        }
        "responders" => Input::AddResponder { by, person: Name::new(&value("person")?).ok()? },
        _ => return None,
    })
}

/// Whether there is such a verb.
pub(super) fn is_known(verb: &str) -> bool {
    matches!(
        verb,
        "acknowledge"
            | "take-over"
            | "unacknowledge"
            | "resolve"
            | "escalate"
            | "snooze"
            | "reassign"
            | "responders"
    )
}
