//! A notification of Naemon, Nagios or Icinga, and the event that it becomes. Pure.

use serde_json::{Value, json};

/// What is known of a notification. A text that is empty is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Notification {
    pub(super) kind: String,
    pub(super) host: String,
    pub(super) service: String,
    pub(super) state: String,
    pub(super) output: String,
    pub(super) long_output: String,
    pub(super) address: String,
    pub(super) author: String,
    pub(super) comment: String,
    pub(super) problem: String,
    pub(super) last_problem: String,
    pub(super) id: String,
    pub(super) groups: String,
    pub(super) url: String,
}

/// What a notification comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Comes {
    /// An event to be sent.
    Event(Value),
    /// Nothing that anybody is paged for. Why.
    Nothing(&'static str),
}

/// A macro that says something: one that the monitoring system did not know comes as it is written, or empty.
fn said(text: &str) -> Option<&str> {
    let text = text.trim();
    let is_unknown = text.len() > 1 && text.starts_with('$') && text.ends_with('$');
    Some(text).filter(|text| !text.is_empty() && !is_unknown)
}

impl Notification {
    /// Reads it from the environment that Naemon and Nagios set with `enable_environment_macros=1`.
    pub(super) fn from_environment(find: &dyn Fn(&str) -> Option<String>) -> Self {
        let text = |name: &str| find(&format!("NAGIOS_{name}")).unwrap_or_default();
        let service = text("SERVICEDESC");
        let of = |name: &str| {
            if service.is_empty() { text(&format!("HOST{name}")) } else { text(&format!("SERVICE{name}")) }
        };
        let last = |name: &str| {
            if service.is_empty() {
                text(&format!("LASTHOST{name}"))
            } else {
                text(&format!("LASTSERVICE{name}"))
            }
        };
        let long = if service.is_empty() { text("LONGHOSTOUTPUT") } else { text("LONGSERVICEOUTPUT") };
        let author = ["NOTIFICATIONAUTHORNAME", "NOTIFICATIONAUTHOR", "NOTIFICATIONAUTHORALIAS"];
        Self {
            kind: text("NOTIFICATIONTYPE"),
            host: text("HOSTNAME"),
            state: of("STATE"),
            output: of("OUTPUT"),
            long_output: long.replace("\\n", "\n"),
            address: text("HOSTADDRESS"),
            author: author.map(text).into_iter().find(|name| !name.is_empty()).unwrap_or_default(),
            comment: text("NOTIFICATIONCOMMENT"),
            problem: of("PROBLEMID"),
            last_problem: last("PROBLEMID"),
            id: of("NOTIFICATIONID"),
            groups: text("HOSTGROUPNAMES"),
            url: [of("ACTIONURL"), of("NOTESURL")]
                .into_iter()
                .find(|url| !url.is_empty())
                .unwrap_or_default(),
            service,
        }
    }

    /// What this one says, and where it says nothing what another says.
    pub(super) fn or(self, other: Self) -> Self {
        let or = |one: String, other: String| if said(&one).is_some() { one } else { other };
        Self {
            kind: or(self.kind, other.kind),
            host: or(self.host, other.host),
            service: or(self.service, other.service),
            state: or(self.state, other.state),
            output: or(self.output, other.output),
            long_output: or(self.long_output, other.long_output),
            address: or(self.address, other.address),
            author: or(self.author, other.author),
            comment: or(self.comment, other.comment),
            problem: or(self.problem, other.problem),
            last_problem: or(self.last_problem, other.last_problem),
            id: or(self.id, other.id),
            groups: or(self.groups, other.groups),
            url: or(self.url, other.url),
        }
    }

    /// `host/service`, or `host`.
    pub(super) fn subject(&self) -> String {
        match said(&self.service) {
            Some(service) => format!("{}/{service}", self.host.trim()),
            None => self.host.trim().to_owned(),
        }
    }

    /// What makes it the same problem: the id that Naemon gave it, which has moved once it is over. Icinga has none;
    /// there it is the host and service.
    fn key(&self) -> String {
        let id = |text| said(text).filter(|id| *id != "0");
        match id(&self.problem).or_else(|| id(&self.last_problem)) {
            Some(id) => format!("{}#{id}", self.subject()),
            None => self.subject(),
        }
    }

    /// What is the same for every contact who is told of this, and different for whatever is told next. None: nothing
    /// says so.
    pub(super) fn once(&self) -> Option<String> {
        let id = said(&self.id).filter(|id| *id != "0")?;
        Some(format!("{} {} {} {id}", self.kind.trim(), self.subject(), self.key()))
    }

    /// The event.
    ///
    /// # Errors
    ///
    /// What is missing, and how to give it.
    pub(super) fn event(&self) -> Result<Comes, String> {
        if said(&self.host).is_none() {
            return Err(
                "no host: set enable_environment_macros=1, so that NAGIOS_HOSTNAME and the others are there, or give \
                 --host, --type, --state"
                    .to_owned(),
            );
        }
        let kind = said(&self.kind).unwrap_or("PROBLEM").to_uppercase();
        let key = self.key();
        let flapping = format!("{}/flapping", self.subject());
        let (action, key, severity) = match kind.as_str() {
            "PROBLEM" | "CUSTOM" => ("trigger", key, self.state.trim().to_lowercase()),
            "RECOVERY" => ("resolve", key, String::new()),
            "ACKNOWLEDGEMENT" => ("acknowledge", key, String::new()),
            "FLAPPINGSTART" => ("trigger", flapping, "warning".to_owned()),
            "FLAPPINGSTOP" | "FLAPPINGEND" | "FLAPPINGDISABLED" => ("resolve", flapping, String::new()),
            kind if kind.starts_with("DOWNTIME") => {
                return Ok(Comes::Nothing(
                    "a downtime pages nobody; Dogwatch has maintenance windows of its own",
                ));
            }
            other => {
                let shown: String = other.chars().take(40).collect();
                return Err(format!(
                    "the notification type \"{shown}\" is not known; it is what $NOTIFICATIONTYPE$ says, such as PROBLEM"
                ));
            }
        };
        let state = said(&self.state).unwrap_or("not OK").to_uppercase();
        let output = said(&self.output).map(|output| format!(": {output}")).unwrap_or_default();
        let summary = match kind.as_str() {
            "FLAPPINGSTART" => format!("{} is flapping", self.subject()),
            _ => format!("{} is {state}{output}", self.subject()),
        };
        let mut details = Vec::new();
        for (name, text) in [
            ("", said(&self.long_output)),
            ("address: ", said(&self.address)),
            ("host groups: ", said(&self.groups)),
            ("comment: ", said(&self.comment)),
        ] {
            details.extend(text.map(|text| format!("{name}{text}")));
        }
        Ok(Comes::Event(json!({
            "action": action,
            "dedup_key": key,
            "summary": summary,
            "details": details.join("\n"),
            "severity": severity,
            "by": said(&self.author),
            "link": said(&self.url),
            "host": self.host.trim(),
            "service": said(&self.service),
            "state": state,
            "notification_type": kind,
            "host_groups": said(&self.groups),
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Notification {
        Notification::from_environment(&|name| {
            pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn event(notification: &Notification) -> Value {
        match notification.event() {
            Ok(Comes::Event(event)) => event,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_problem_and_its_recovery_have_one_key_although_the_id_moves() {
        let problem = environment(&[
            ("NAGIOS_NOTIFICATIONTYPE", "PROBLEM"),
            ("NAGIOS_HOSTNAME", "db1"),
            ("NAGIOS_SERVICEDESC", "disk"),
            ("NAGIOS_SERVICESTATE", "CRITICAL"),
            ("NAGIOS_SERVICEOUTPUT", "97 %"),
            ("NAGIOS_SERVICEPROBLEMID", "17"),
            ("NAGIOS_LASTSERVICEPROBLEMID", "12"),
            ("NAGIOS_HOSTPROBLEMID", "3"),
        ]);
        let made = event(&problem);
        assert_eq!(made["summary"], "db1/disk is CRITICAL: 97 %");
        assert_eq!((&made["action"], &made["severity"]), (&json!("trigger"), &json!("critical")));
        for gone in ["0", ""] {
            let recovery = Notification {
                kind: "RECOVERY".to_owned(),
                problem: gone.to_owned(),
                last_problem: "17".to_owned(),
                ..problem.clone()
            };
            let over = event(&recovery);
            assert_eq!((&over["action"], &over["dedup_key"]), (&json!("resolve"), &made["dedup_key"]));
        }
    }

    #[test]
    fn every_kind_of_notification_is_known_and_others_are_refused() {
        for (kind, action) in [
            ("PROBLEM", "trigger"),
            ("CUSTOM", "trigger"),
            ("RECOVERY", "resolve"),
            ("ACKNOWLEDGEMENT", "acknowledge"),
            ("FLAPPINGSTART", "trigger"),
            ("FLAPPINGSTOP", "resolve"),
            ("FLAPPINGEND", "resolve"),
            ("FLAPPINGDISABLED", "resolve"),
        ] {
            let notification =
                Notification { kind: kind.to_owned(), host: "db1".to_owned(), ..Notification::default() };
            assert_eq!(event(&notification)["action"], action, "{kind}");
        }
        for kind in ["DOWNTIMESTART", "DOWNTIMEEND", "DOWNTIMECANCELLED", "DOWNTIMEREMOVED"] {
            let notification =
                Notification { kind: kind.to_owned(), host: "db1".to_owned(), ..Notification::default() };
            assert!(matches!(notification.event(), Ok(Comes::Nothing(_))), "{kind}");
        }
        let unknown =
            Notification { kind: "PIGEON".to_owned(), host: "db1".to_owned(), ..Notification::default() };
        assert!(unknown.event().unwrap_err().contains("PIGEON"));
        assert!(Notification::default().event().unwrap_err().contains("enable_environment_macros=1"));
        let unresolved = Notification { host: "$HOSTNAME$".to_owned(), ..Notification::default() };
        assert!(unresolved.event().is_err());
    }
}
