//! What a configuration says of people and of what is watched: contacts, groups, hosts, services and escalations, with
//! every name looked up.

use std::collections::{BTreeMap, BTreeSet};

use rota::diagnostic::Span;

use super::object::Resolved;
use super::report::{Report, Sort};

/// Somebody who can be told.
#[derive(Clone, Debug)]
pub(super) struct Contact {
    pub(super) name: String,
    pub(super) alias: Option<String>,
    pub(super) addresses: Vec<(&'static str, String)>,
    /// When told of hosts, and of services; none: never.
    pub(super) periods: [Option<String>; 2],
    /// Of which states of hosts, and of services; none: of all.
    pub(super) options: [Option<Vec<char>>; 2],
    pub(super) enabled: [bool; 2],
    pub(super) span: Option<Span>,
}

/// A host or a service, as far as it tells people.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    /// `host`, or `host;service`.
    pub(super) name: String,
    pub(super) is_service: bool,
    pub(super) contacts: BTreeSet<String>,
    pub(super) groups: BTreeSet<String>,
    /// When people are told; none: always.
    pub(super) period: Option<String>,
    /// In units; none: as Naemon has it.
    pub(super) interval: Option<f64>,
    /// Of which states people are told; none: of all.
    pub(super) options: Option<Vec<char>>,
    pub(super) first_delay: f64,
    pub(super) enabled: bool,
    pub(super) escalations: Vec<usize>,
    pub(super) span: Option<Span>,
}

impl Watched {
    fn host(&self) -> &str {
        self.name.split_once(';').map_or(self.name.as_str(), |(host, _)| host)
    }

    fn description(&self) -> &str {
        self.name.split_once(';').map_or("", |(_, description)| description)
    }
}

/// Whom to tell instead, from one number to another.
#[derive(Clone, Debug)]
pub(super) struct Escalation {
    pub(super) contacts: BTreeSet<String>,
    pub(super) groups: BTreeSet<String>,
    /// Where nothing is said of whom at all, or with `+`, those of the object count, too.
    pub(super) adds_contacts: bool,
    pub(super) adds_groups: bool,
    pub(super) first: u32,
    /// 0: for ever; none: it never matches.
    pub(super) last: Option<u32>,
    pub(super) interval: Option<f64>,
    pub(super) period: Option<String>,
    pub(super) options: Option<Vec<char>>,
    pub(super) span: Option<Span>,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Site {
    pub(super) contacts: BTreeMap<String, Contact>,
    /// The members of contact groups, groups in groups worked in.
    pub(super) groups: BTreeMap<String, BTreeSet<String>>,
    pub(super) watched: Vec<Watched>,
    pub(super) escalations: Vec<Escalation>,
}

/// Reads the objects.
pub(super) fn read(objects: &[Resolved], report: &mut Report) -> Site {
    let mut site = Site::default();
    let of = |kind: &'static str| objects.iter().filter(move |object| object.kind == kind);
    for object in of("contact") {
        if let Some(contact) = contact(object, report) {
            site.contacts.insert(contact.name.clone(), contact);
        }
    }
    site.groups = groups(objects, "contactgroup", "contact", "contactgroups");
    for (group, members) in &mut site.groups {
        members.retain(|member| {
            let is_known = site.contacts.contains_key(member);
            if !is_known {
                report.note(
                    Sort::Left,
                    None,
                    format!("contact group \"{group}\" names \"{member}\", who is no contact"),
                );
            }
            is_known
        });
    }
    let hosts: Vec<&Resolved> = of("host").filter(|object| object.get("host_name").is_some()).collect();
    let host_names: BTreeSet<String> =
        hosts.iter().filter_map(|host| host.get("host_name").map(str::to_owned)).collect();
    let host_groups = groups(objects, "hostgroup", "host", "hostgroups");
    for host in &hosts {
        let name = host.get("host_name").unwrap_or_default().to_owned();
        site.watched.push(watched(host, name, false));
    }
    let host_places: BTreeMap<String, usize> =
        site.watched.iter().enumerate().map(|(place, host)| (host.name.clone(), place)).collect();
    let mut in_service_groups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for service in of("service") {
        let Some(description) = service.get("service_description") else { continue };
        for host in targets(service, &host_names, &host_groups) {
            let name = format!("{host};{description}");
            let mut one = watched(service, name.clone(), true);
            if let Some(host) = host_places.get(&host).map(|place| site.watched[*place].clone()) {
                implied(&mut one, service, &host);
            }
            for group in service.list("servicegroups") {
                in_service_groups.entry(group).or_default().insert(name.clone());
            }
            site.watched.push(one);
        }
    }
    for group in of("servicegroup") {
        let Some(name) = group.get("servicegroup_name") else { continue };
        let members = group.list("members");
        let pairs = members.chunks_exact(2).map(|pair| format!("{};{}", pair[0], pair[1]));
        in_service_groups.entry(name.to_owned()).or_default().extend(pairs);
    }
    let mut of_host: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, one) in site.watched.iter().enumerate() {
        of_host.entry(one.host().to_owned()).or_default().push(place);
        by_name.entry(one.name.clone()).or_default().push(place);
    }
    let escalations = objects
        .iter()
        .filter(|object| matches!(object.kind.as_str(), "hostescalation" | "serviceescalation"));
    for (number, object) in escalations.enumerate() {
        site.escalations.push(escalation(object, report));
        let is_service = object.kind == "serviceescalation";
        let descriptions: BTreeSet<String> = object.list("service_description").into_iter().collect();
        let hosts = targets(object, &host_names, &host_groups);
        let on_hosts = hosts.iter().filter_map(|host| of_host.get(host)).flatten().filter(|place| {
            let one = &site.watched[**place];
            let is_named = || descriptions.contains(one.description()) || descriptions.contains("*");
            one.is_service == is_service && (!is_service || is_named())
        });
        let groups = object.list("servicegroup_name");
        let in_groups = groups.iter().filter_map(|group| in_service_groups.get(group)).flatten();
        let in_groups = in_groups.filter(|_| is_service).filter_map(|name| by_name.get(name)).flatten();
        let meant: BTreeSet<usize> = on_hosts.chain(in_groups).copied().collect();
        for place in meant {
            site.watched[place].escalations.push(number);
        }
    }
    site
}

fn contact(object: &Resolved, report: &mut Report) -> Option<Contact> {
    let name = object.get("contact_name")?.to_owned();
    let mut addresses = Vec::new();
    for key in ["email", "pager", "address1", "address2", "address3", "address4", "address5", "address6"] {
        if let Some(value) = object.get(key) {
            addresses.push((key, value.to_owned()));
        }
    }
    let period = |key: &str| object.get(key).filter(|period| *period != "none").map(str::to_owned);
    for key in ["minimum_value", "minimum_importance"] {
        if object.number(key).is_some_and(|least| least > 0.0) {
            let text =
                format!("contact \"{name}\" has a {key}: here people are told of whatever their team is");
            report.note(Sort::Left, object.place(key), text);
        }
    }
    let is_on = |key: &str| object.get(key) != Some("0");
    Some(Contact {
        alias: object.get("alias").filter(|alias| *alias != name).map(str::to_owned),
        addresses,
        periods: [period("host_notification_period"), period("service_notification_period")],
        options: [
            object.options("host_notification_options"),
            object.options("service_notification_options"),
        ],
        enabled: [is_on("host_notifications_enabled"), is_on("service_notifications_enabled")],
        span: object.span,
        name,
    })
}

fn watched(object: &Resolved, name: String, is_service: bool) -> Watched {
    Watched {
        name,
        is_service,
        contacts: object.list("contacts").into_iter().collect(),
        groups: object.list("contact_groups").into_iter().collect(),
        period: object.get("notification_period").map(str::to_owned),
        interval: object.number("notification_interval"),
        options: object.options("notification_options"),
        first_delay: object.number("first_notification_delay").unwrap_or(0.0),
        enabled: object.get("notifications_enabled") != Some("0"),
        escalations: Vec::new(),
        span: object.span,
    }
}

/// What a service takes from its host where it says nothing itself.
fn implied(service: &mut Watched, object: &Resolved, host: &Watched) {
    if object.get("contacts").is_none() && object.get("contact_groups").is_none() {
        service.contacts.clone_from(&host.contacts);
        service.groups.clone_from(&host.groups);
    }
    if service.period.is_none() {
        service.period.clone_from(&host.period);
    }
    if service.interval.is_none() {
        service.interval = host.interval;
    }
}

fn escalation(object: &Resolved, report: &mut Report) -> Escalation {
    let number = |key: &str| object.number(key).filter(|number| *number >= 0.0).map(|number| number as u32);
    let last = number("last_notification");
    if last.is_none() {
        let text = "an escalation without last_notification never matches in Naemon; it is left out (last_notification \
                    0 means for ever)";
        report.note(Sort::Left, object.span, text);
    }
    let adds = |key: &str, other: &str| match object.get(key) {
        Some(value) => value.starts_with('+'),
        None => object.get(other).is_none(),
    };
    Escalation {
        contacts: object.list("contacts").into_iter().collect(),
        groups: object.list("contact_groups").into_iter().collect(),
        adds_contacts: adds("contacts", "contact_groups"),
        adds_groups: adds("contact_groups", "contacts"),
        first: number("first_notification").unwrap_or(0),
        last,
        interval: object.number("notification_interval"),
        period: object.get("escalation_period").map(str::to_owned),
        options: object.options("escalation_options"),
        span: object.span,
    }
}

/// The hosts that an object is about: by name, by group, all (`*`), without those after `!`.
fn targets(
    object: &Resolved,
    hosts: &BTreeSet<String>,
    groups: &BTreeMap<String, BTreeSet<String>>,
) -> BTreeSet<String> {
    let mut chosen: BTreeSet<String> = BTreeSet::new();
    let mut not: BTreeSet<String> = BTreeSet::new();
    for name in object.list("host_name") {
        match name.strip_prefix('!') {
            Some(name) => not.extend([name.to_owned()]),
            None if name == "*" => chosen.extend(hosts.iter().cloned()),
            None => chosen.extend([name]),
        }
    }
    for name in object.list("hostgroup_name") {
        let (group, into) = match name.strip_prefix('!') {
            Some(group) => (group, &mut not),
            None => (name.as_str(), &mut chosen),
        };
        if group == "*" {
            into.extend(groups.values().flatten().cloned());
        } else {
            into.extend(groups.get(group).into_iter().flatten().cloned());
        }
    }
    chosen.retain(|host| hosts.contains(host) && !not.contains(host));
    chosen
}

/// The members of groups of a kind, from both ends: what the group names, and what names the group.
fn groups(
    objects: &[Resolved],
    kind: &str,
    member_kind: &str,
    member_key: &str,
) -> BTreeMap<String, BTreeSet<String>> {
    let mut members: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut inner: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let all: Vec<String> = objects
        .iter()
        .filter(|object| object.kind == member_kind)
        .filter_map(|object| object.get(&format!("{member_kind}_name")).map(str::to_owned))
        .collect();
    for object in objects.iter().filter(|object| object.kind == kind) {
        let Some(name) = object.get(&format!("{kind}_name")) else { continue };
        let own = members.entry(name.to_owned()).or_default();
        let listed = object.list("members");
        if listed.iter().any(|member| member == "*") {
            own.extend(all.iter().cloned());
        }
        own.extend(listed.iter().filter(|member| *member != "*" && !member.starts_with('!')).cloned());
        for not in listed.iter().filter_map(|member| member.strip_prefix('!')) {
            own.remove(not);
        }
        inner.insert(name.to_owned(), object.list(&format!("{kind}_members")));
    }
    for object in objects.iter().filter(|object| object.kind == member_kind) {
        let Some(name) = object.get(&format!("{member_kind}_name")) else { continue };
        for group in object.list(member_key) {
            members.entry(group).or_default().insert(name.to_owned());
        }
    }
    // Groups in groups, however deep; a circle adds nothing new.
    loop {
        let mut grew = false;
        for (group, inside) in &inner {
            let more: BTreeSet<String> =
                inside.iter().filter_map(|group| members.get(group)).flatten().cloned().collect();
            let own = members.entry(group.clone()).or_default();
            let before = own.len();
            own.extend(more);
            grew |= own.len() > before;
        }
        if !grew {
            return members;
        }
    }
}
