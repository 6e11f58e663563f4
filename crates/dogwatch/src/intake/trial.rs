//! What would become of a sample: the same reading and the same rules, and nothing is stored.

use escalation::event::Input;
use serde_json::Value;

use super::arrival::{Scene, decide};
use super::event::{Act, Event};
use super::{Format, alertmanager, generic, mail, oncall, opsgenie, pagerduty, victorops};
use crate::definition::integration::mapping::Mapping;
use crate::store::reception::Arrival;

/// What would become of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// `trigger`, `acknowledge`, `resolve` and so on; or why nothing would be done.
    pub act: String,
    /// What makes it the same problem.
    pub key: String,
    /// What is wrong.
    pub summary: String,
    /// Anything more.
    pub details: String,
    /// How grave it is.
    pub severity: &'static str,
    /// What it means for people now.
    pub urgency: &'static str,
    /// The team that would get it.
    pub team: Option<String>,
    /// The escalation plan, if a rule names one.
    pub plan: Option<String>,
    /// The rule that was followed, from 1; none: no rule fits.
    pub rule: Option<usize>,
    /// The addresses of its links.
    pub links: Vec<String>,
}

/// Reads a sample of a format.
///
/// # Errors
///
/// What is wrong with it.
pub fn read(format: Format, body: &Value, mapping: Option<&Mapping>) -> Result<Vec<Event>, String> {
    let one = |event: Event| vec![event];
    let joined = |wrong: Vec<String>| wrong.join("; ");
    match format {
        Format::PagerDuty => pagerduty::read(body).map(|read| one(read.event)).map_err(joined),
        Format::PagerDutyChange => pagerduty::read_change(body).map(one).map_err(joined),
        Format::PagerDutyV1 => pagerduty::read_v1(body).map(|read| one(read.event)).map_err(joined),
        Format::Opsgenie => opsgenie::read_create(body).map(one).map_err(|wrong| {
            let texts = wrong.values().map(|why| why.as_str().unwrap_or_default());
            texts.collect::<Vec<_>>().join(" ")
        }),
        Format::VictorOps => victorops::read(body).map(one),
        Format::Alertmanager | Format::Grafana => alertmanager::read(body),
        Format::OnCall => oncall::read(body).map(one),
        Format::Zabbix => oncall::read_zabbix(body).map(one),
        Format::Nagios => generic::read(body, None),
        Format::Generic => generic::read(body, mapping),
        Format::Mail => match body.as_str() {
            Some(text) => mail::read(text.as_bytes(), mapping),
            None => Err("a mail is a text: its headers, an empty line, its body".to_owned()),
        },
    }
}

/// What would become of an event.
pub fn tell(scene: Scene<'_>, event: Event) -> Tried {
    let (summary, details) = (event.summary.clone(), event.details.clone());
    let links = event.links.iter().map(|link| link.href.clone()).collect();
    let act = match &event.act {
        Act::Trigger => "trigger",
        Act::Acknowledge => "acknowledge",
        Act::Unacknowledge => "unacknowledge",
        Act::Resolve => "resolve",
        Act::Snooze(_) => "snooze",
        Act::Note(_) => "note",
        Act::Amend { .. } => "amend",
        Act::Nothing(_) => "nothing",
    };
    let decided = decide(scene, event, None, || "(a new one each time)".to_owned());
    let mut tried = Tried {
        act: act.to_owned(),
        key: decided.key,
        summary,
        details,
        severity: decided.severity.word(),
        urgency: "",
        team: None,
        plan: None,
        rule: decided.rule.map(|rule| rule + 1),
        links,
    };
    match decided.arrivals.last() {
        Some(Arrival::Trigger { trigger, .. }) => {
            let urgency = scene.directory.urgency(&trigger.audience, trigger.severity, scene.now);
            tried.severity = trigger.severity.word();
            tried.urgency = trigger.route.urgency.unwrap_or(urgency).word();
            tried.team = Some(trigger.audience.name().to_string());
            tried.plan = trigger.route.plan.as_ref().map(ToString::to_string);
            tried.key.clone_from(&trigger.dedup_key);
        }
        Some(Arrival::Act { input: Input::Note { text, .. }, .. }) if act != "note" => {
            tried.act = format!("note: {text}");
        }
        Some(Arrival::Nothing(why)) => tried.act = format!("nothing: {why}"),
        _ => {}
    }
    tried
}
