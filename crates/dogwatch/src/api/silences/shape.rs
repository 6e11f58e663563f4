//! The shapes of silences and maintenance windows, as programs send and get them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::alert_view::AlertView;
use crate::definition::MatchSpec;

/// A silence to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSilence {
    /// Which alerts: those that have all of what is named.
    #[serde(rename = "match")]
    pub(super) matches: MatchSpec,
    /// The first instant, or a time on the clocks of `zone`. Default: now.
    #[serde(default)]
    #[schema(max_length = 40, example = "2026-12-24 08:00")]
    pub(super) from: Option<String>,
    /// The first instant after it, at most 30 days later; or `for`.
    #[serde(default)]
    #[schema(max_length = 40, example = "2026-12-24 10:00")]
    pub(super) until: Option<String>,
    /// How long: `1s` to `7d`.
    #[serde(default, rename = "for")]
    #[schema(max_length = 20, example = "2h")]
    pub(super) length: Option<String>,
    /// Only within this period.
    #[serde(default)]
    #[schema(max_length = 255)]
    pub(super) period: Option<String>,
    /// The zone in which the period and the times are read. Default: that of whoever asks, else UTC.
    #[serde(default)]
    #[schema(max_length = 64, example = "Europe/Berlin")]
    pub(super) zone: Option<String>,
    /// Why.
    #[schema(min_length = 1, max_length = 200, example = "the disks are being exchanged")]
    pub(super) reason: String,
}

/// A maintenance window to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMaintenance {
    /// The team; or `integration`.
    #[serde(default)]
    #[schema(max_length = 64, example = "ops")]
    pub(super) team: Option<String>,
    /// The integration.
    #[serde(default)]
    #[schema(max_length = 64)]
    pub(super) integration: Option<String>,
    /// The first instant, or a time on the clocks of `zone`. Default: now.
    #[serde(default)]
    #[schema(max_length = 40)]
    pub(super) from: Option<String>,
    /// The first instant after it, at most 30 days later; or `for`. With a period there need be no end.
    #[serde(default)]
    #[schema(max_length = 40)]
    pub(super) until: Option<String>,
    /// How long: `1s` to `7d`.
    #[serde(default, rename = "for")]
    #[schema(max_length = 20, example = "2h")]
    pub(super) length: Option<String>,
    /// Again and again within this period.
    #[serde(default)]
    #[schema(max_length = 255, example = "nightly-backup")]
    pub(super) period: Option<String>,
    /// The zone in which the period and the times are read. Default: that of whoever asks, else UTC.
    #[serde(default)]
    #[schema(max_length = 64, example = "Europe/Berlin")]
    pub(super) zone: Option<String>,
    /// Why.
    #[schema(min_length = 1, max_length = 200, example = "the nightly backup")]
    pub(super) reason: String,
}

/// What is to be another from now on; what is not named stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Another end: an instant, or a time on the clocks of the zone.
    #[serde(default)]
    #[schema(max_length = 40)]
    pub(super) until: Option<String>,
    /// How long from now on: `1s` to `7d`.
    #[serde(default, rename = "for")]
    #[schema(max_length = 20, example = "2h")]
    pub(super) length: Option<String>,
    /// Another reason.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub(super) reason: Option<String>,
}

/// A silence or a maintenance window, and how it stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct SilencingView<T> {
    /// As it was made.
    #[serde(flatten)]
    pub spec: T,
    /// `active` (it holds now), `planned` (it will), or `over`.
    pub state: &'static str,
    /// When it begins next; while planned.
    pub begins_at: Option<String>,
    /// When it ends, or its period does; while active.
    pub ends_at: Option<String>,
}

/// All of them.
#[derive(Debug, Serialize, ToSchema)]
pub struct SilencingsView<T> {
    /// By name.
    pub items: Vec<SilencingView<T>>,
}

/// Which alerts a silence would hold back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewSpec {
    /// Which alerts: those that have all of what is named.
    #[serde(rename = "match")]
    pub(super) matches: MatchSpec,
}

/// What a silence would have held back in the last seven days.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreviewView {
    /// Since when is counted.
    pub(super) since: String,
    /// How many reports.
    pub(super) reports: u64,
    /// How many alerts they are of.
    pub(super) alerts: u64,
    /// How many of these were critical: a silence holds those back, too.
    pub(super) critical: u64,
    /// The newest of these alerts, at most ten.
    pub(super) examples: Vec<AlertView>,
}
