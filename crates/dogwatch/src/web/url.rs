//! Every address of the pages.

use escalation::name::Name;

use crate::definition::{Kind, Lies};

/// What is going on now.
pub const NOW: &str = "/";
/// The alerts of one team, worst first.
pub fn now_of(team: &str) -> String {
    format!("{NOW}?{}", query([("team", team)]))
}

/// Does something to several alerts at once.
pub const SEVERAL: &str = "/alerts/several";
/// The form that pages a team, and what sends it.
pub const PAGE_TEAM: &str = "/page";
/// Shows who would be woken.
pub const PAGE_TEAM_LOOK: &str = "/page/look";
/// Who rings first, second and third until morning.
pub const TONIGHT: &str = "/tonight";
/// What would happen.
pub const REHEARSE: &str = "/rehearse";

/// The form that pages a team, with the team chosen.
pub fn page_team(team: &str) -> String {
    format!("{PAGE_TEAM}?{}", query([("team", team)]))
}

/// What would happen to an alert of a team.
pub fn rehearse(team: &str) -> String {
    format!("{REHEARSE}?{}", query([("team", team)]))
}

/// A team.
pub fn team(name: &str) -> String {
    format!("/teams/{name}")
}

/// Ends the session.
pub const SIGN_OUT: &str = "/sign-out";
/// The stylesheet.
pub const STYLE: &str = concat!("/assets/", env!("CARGO_PKG_VERSION"), "/dogwatch.css");
/// The script.
pub const SCRIPT: &str = concat!("/assets/", env!("CARGO_PKG_VERSION"), "/dogwatch.js");

/// What the page of notifications runs.
pub const NOTIFICATIONS_SCRIPT: &str = concat!("/assets/", env!("CARGO_PKG_VERSION"), "/notifications.js");
/// The contacts of whoever is signed in.
pub const CONTACTS: &str = "/contacts";
/// Lets one ring.
pub const CONTACT_RING: &str = "/contacts/ring";
/// Sends a code to one.
pub const CONTACT_CODE: &str = "/contacts/code";
/// Takes the code that came in.
pub const CONTACT_CONFIRM: &str = "/contacts/confirm";
/// Takes whether one sounded.
pub const CONTACT_HEARD: &str = "/contacts/heard";
/// Every number that may call.
pub const CONTACT_CARD: &str = "/api/v1/contact-card.vcf";
/// Notifications on this device.
pub const NOTIFICATIONS: &str = "/notifications";
/// Switches them on for a browser.
pub const BROWSERS: &str = "/notifications/browsers";
/// Switches them off.
pub const FORGET_BROWSER: &str = "/notifications/browsers/forget";
/// What shows them.
pub const SERVICE_WORKER: &str = "/service-worker.js";
/// What a phone installs the pages by.
pub const MANIFEST: &str = "/manifest.webmanifest";

/// One alert.
pub fn alert(number: u64) -> String {
    format!("/alerts/{number}")
}

/// Why somebody's phone rang for an alert, or did not.
pub fn alert_why(number: u64, person: &str) -> String {
    format!("/alerts/{number}/why?{}", query([("person", person)]))
}

/// The whole alert as Markdown.
pub fn alert_export(number: u64) -> String {
    format!("/alerts/{number}/export.md")
}

/// Something that may be done to an alert.
pub fn alert_act(number: u64, verb: &str) -> String {
    format!("/alerts/{number}/{verb}")
}

/// A person's handset.
pub fn handset(name: &Name) -> String {
    format!("/handset/{name}")
}

/// Every schedule.
pub const SCHEDULES: &str = "/schedules";

/// Who is on call by a schedule, or by the order of a team.
pub fn roster(over: &Lies) -> String {
    match over {
        Lies::Schedule(name) => format!("{SCHEDULES}/{name}"),
        Lies::Team(name) => format!("/teams/{name}/on-call"),
    }
}

/// Something that may be done about who is on call; `query` says what is looked at.
pub fn roster_act(over: &Lies, verb: &str, query: &str) -> String {
    format!("{}/{verb}?{query}", roster(over))
}

/// Everything that is defined.
pub const DEFINITIONS: &str = "/definitions";
/// All of it as a file.
pub const DEFINITIONS_FILE: &str = "/definitions.toml";
/// Shows what a file would change.
pub const FILE_LOOK: &str = "/definitions-file/look";
/// Puts a file in force.
pub const FILE_APPLY: &str = "/definitions-file/apply";
/// Shows what a change of one definition would come to.
pub const DEFINITION_LOOK: &str = "/definition/look";
/// Stores it.
pub const DEFINITION_SAVE: &str = "/definition/save";
/// Removes one.
pub const DEFINITION_REMOVE: &str = "/definition/remove";

/// One definition.
pub fn definition(kind: Kind, name: &str) -> String {
    format!("{DEFINITIONS}/{}/{name}", kind.word())
}

/// A new one.
pub fn new_definition(kind: Kind) -> String {
    format!("{DEFINITIONS}/{}", kind.word())
}

/// What sends events.
pub const INTEGRATIONS: &str = "/integrations";

/// One integration.
pub fn integration(name: &str) -> String {
    format!("{INTEGRATIONS}/{name}")
}

/// Something that may be done to it.
pub fn integration_act(name: &str, verb: &str) -> String {
    format!("{INTEGRATIONS}/{name}/{verb}")
}

/// Ends a key of it.
pub fn revoke_key(name: &str, id: &str) -> String {
    format!("{INTEGRATIONS}/{name}/keys/{id}/revoke")
}

/// The one-time sign-in address.
pub fn sign_in(secret: &str) -> String {
    format!("/sign-in/{secret}")
}

/// The live part of a page.
pub fn live(path: &str) -> String {
    format!("/live{path}")
}

/// A query, or a form, of these names and values.
pub fn query<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    ::url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Every value of a name in a form.
pub fn form_values<'a>(form: &'a str, name: &'a str) -> impl Iterator<Item = String> + 'a {
    ::url::form_urlencoded::parse(form.as_bytes())
        .filter(move |(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

/// The value of a query parameter.
pub fn form_value(query: &str, name: &str) -> Option<String> {
    ::url::form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}
