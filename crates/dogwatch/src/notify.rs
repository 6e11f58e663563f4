//! Paging a team or a person: what somebody says is wrong, checked, as the event that begins an alert.
//!
//! The API and the pages both come through here. What becomes of the event is the store's: `Store::record`.

use escalation::alert::Audience;
use escalation::event::{Actor, Link, Route, Severity, Trigger};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::definition::{Definitions, FieldError, Kind, Lines, Problems};

/// The most links of an alert.
const MAX_LINKS: usize = 20;

/// A problem to tell somebody about.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NotifySpec {
    /// What is wrong, in one line. Line breaks become spaces.
    #[schema(min_length = 1, max_length = 1024, example = "disk full on db1")]
    pub summary: String,
    /// Anything more, as plain text.
    #[serde(default)]
    #[schema(max_length = 65536)]
    pub details: Option<String>,
    /// `critical`, `error` (the default), `warning` or `info`. The last two use people's low-urgency plans.
    #[serde(default)]
    #[schema(example = "critical")]
    pub severity: Option<String>,
    /// What makes another request the same problem: while an alert with this key is open, it is counted
    /// there and pages nobody anew. Without one every request is a problem of its own.
    #[serde(default)]
    #[schema(max_length = 512, example = "db1/disk")]
    pub dedup_key: Option<String>,
    /// Where to look.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub links: Vec<LinkSpec>,
    /// The integration on whose behalf this is sent. It must belong to the team.
    #[serde(default)]
    #[schema(max_length = 64)]
    pub integration: Option<String>,
}

/// A place to look at.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkSpec {
    /// An `http` or `https` address.
    #[schema(max_length = 2048, example = "https://grafana.example.org/d/db1")]
    pub href: String,
    /// What to call it.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub text: String,
}

impl NotifySpec {
    /// Turns it into an event for an audience that is defined.
    ///
    /// # Errors
    ///
    /// Every problem, with its field.
    pub fn check(
        self,
        definitions: &Definitions,
        audience: Audience,
        by: Actor,
        now: Timestamp,
    ) -> Result<Trigger, Vec<FieldError>> {
        let mut problems = Problems::default();
        let summary = self.summary.replace(['\r', '\n', '\t'], " ").trim().to_owned();
        problems.text("summary", &summary, 1..=1024, Lines::One);
        // One kind of line break: the live stream, mail and terminals each take others differently.
        let details = self.details.unwrap_or_default().replace("\r\n", "\n").replace('\r', "\n");
        problems.text("details", &details, 0..=65_536, Lines::Many);
        let severity = match self.severity.as_deref() {
            None => Severity::default(),
            Some(word) => Severity::ALL.into_iter().find(|known| known.word() == word).unwrap_or_else(|| {
                let near = crate::definition::nearest(word, Severity::ALL.iter().map(|known| known.word()));
                let hint = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
                problems.add(
                    "severity",
                    format_args!("is \"critical\", \"error\", \"warning\" or \"info\"{hint}"),
                );
                Severity::default()
            }),
        };
        if let Some(key) = &self.dedup_key {
            problems.text("dedup_key", key, 1..=512, Lines::One);
        }
        if self.links.len() > MAX_LINKS {
            problems.add(
                "links",
                format_args!("has {} entries; at most {MAX_LINKS} are allowed", self.links.len()),
            );
        }
        for (index, link) in self.links.iter().enumerate() {
            let is_web = url::Url::parse(&link.href)
                .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
            if !is_web || link.href.len() > 2048 {
                problems.add(
                    format!("links[{index}].href"),
                    "is a full http or https address of at most 2048 bytes",
                );
            }
            problems.text(&format!("links[{index}].text"), &link.text, 0..=200, Lines::One);
        }
        let built_in = match &audience {
            Audience::Team(name) => format!("team:{name}"),
            Audience::Person(name) => format!("person:{name}"),
        };
        let integration = self.integration.map_or(built_in, |integration| {
            match (definitions.get(Kind::Integration, &integration), &audience) {
                (Some(defined), Audience::Team(team)) if defined.body["team"] == team.as_str() => {}
                (Some(_), _) => {
                    problems.add("integration", format_args!("\"{integration}\" belongs to another team"))
                }
                (None, _) => problems.unknown(
                    "integration",
                    Kind::Integration,
                    &integration,
                    definitions.names(Kind::Integration),
                ),
            }
            integration
        });
        problems.finish()?;
        Ok(Trigger {
            audience,
            integration,
            dedup_key: self.dedup_key.unwrap_or_else(|| once(now)),
            summary,
            details,
            severity,
            route: Route::default(),
            links: self.links.into_iter().map(|link| Link { href: link.href, text: link.text }).collect(),
            by,
        })
    }
}

/// A key that nothing else has. It begins with the time, so that the index of keys grows at its end and
/// not all over: that halves what a storm writes to the disk.
fn once(now: Timestamp) -> String {
    format!("once-{:012x}-{:016x}", now.as_millisecond(), crate::clock::chance())
}
