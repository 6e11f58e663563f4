//! What monitoring systems send, in the formats that they speak already.
//!
//! One file a format: bytes become events ([`event`]), or an error in that format's own shape. What is made of an
//! event, by its integration, is in [`arrival`]. All of that is pure: no clock, no store, no HTTP. The addresses
//! are in `intake/routes/`: they read a key, call a format, store what came, and answer in that format's words. An
//! answer that says yes is given when everything is on the disk.
//!
//! Intake knows nothing of the engine, of deliveries or of people's answers.

pub mod alertmanager;
pub mod arrival;
pub mod event;
pub mod generic;
pub mod guesses;
pub mod limits;
pub mod mail;
pub mod oncall;
pub mod opsgenie;
pub mod pagerduty;
mod routes;
pub mod severity;
pub mod signature;
pub mod snippet;
pub mod trial;
pub mod victorops;

pub use routes::{deliver_mail, describe, router, send_test};

/// The formats that are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// PagerDuty's Events API, version 2.
    PagerDuty,
    /// A change event of that.
    PagerDutyChange,
    /// PagerDuty's Events API, version 1.
    PagerDutyV1,
    /// Opsgenie's alert API, version 2.
    Opsgenie,
    /// The REST endpoint of VictorOps.
    VictorOps,
    /// Alertmanager's webhook, version 4.
    Alertmanager,
    /// Grafana's webhook.
    Grafana,
    /// Grafana OnCall's formatted webhook.
    OnCall,
    /// Zabbix.
    Zabbix,
    /// `dogwatch nagios`: Naemon, Nagios and Icinga.
    Nagios,
    /// Any JSON.
    Generic,
    /// Mail.
    Mail,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 12] = [
        Self::PagerDuty,
        Self::PagerDutyChange,
        Self::PagerDutyV1,
        Self::Opsgenie,
        Self::VictorOps,
        Self::Alertmanager,
        Self::Grafana,
        Self::OnCall,
        Self::Zabbix,
        Self::Nagios,
        Self::Generic,
        Self::Mail,
    ];

    /// The word for it, in the API and in addresses.
    pub const fn word(self) -> &'static str {
        match self {
            Self::PagerDuty => "pagerduty",
            Self::PagerDutyChange => "pagerduty-change",
            Self::PagerDutyV1 => "pagerduty-v1",
            Self::Opsgenie => "opsgenie",
            Self::VictorOps => "victorops",
            Self::Alertmanager => "alertmanager",
            Self::Grafana => "grafana",
            Self::OnCall => "formatted_webhook",
            Self::Zabbix => "zabbix",
            Self::Nagios => "nagios",
            Self::Generic => "generic",
            Self::Mail => "mail",
        }
    }

    /// Whether an acknowledgement in it is the act of a person, passed on. Elsewhere it may be anything.
    pub const fn relays_people(self) -> bool {
        matches!(
            self,
            Self::PagerDuty
                | Self::PagerDutyV1
                | Self::Opsgenie
                | Self::VictorOps
                | Self::Zabbix
                | Self::Nagios
        )
    }
}
