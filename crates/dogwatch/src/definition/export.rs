//! Definitions written out as TOML: in a stable order, to be read back as what they were.

use std::collections::BTreeMap;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::file::key;
use super::{
    EscalationPlanSpec, HeartbeatSpec, IntegrationSpec, Kind, LeaveSpec, MaintenanceSpec, OverrideSpec,
    PeriodSpec, PersonSpec, RotationSpec, ScheduleSpec, SilenceSpec, TeamSpec, read_json,
};

/// The documents, kind by kind, each kind by name.
///
/// # Errors
///
/// Which document can't be written: one that another version of Dogwatch has stored.
pub fn to_toml(documents: &[(Kind, Value)]) -> Result<String, String> {
    let mut sorted: Vec<&(Kind, Value)> = documents.iter().collect();
    sorted.sort_by_key(|(kind, body)| (*kind, name(body).to_owned()));
    let mut out = String::new();
    for (kind, body) in sorted {
        let written = match kind {
            Kind::Person => write::<PersonSpec>(*kind, body),
            Kind::Period => write::<PeriodSpec>(*kind, body),
            Kind::Rotation => write::<RotationSpec>(*kind, body),
            Kind::Schedule => write::<ScheduleSpec>(*kind, body),
            Kind::EscalationPlan => write::<EscalationPlanSpec>(*kind, body),
            Kind::Team => write::<TeamSpec>(*kind, body),
            Kind::Integration => write::<IntegrationSpec>(*kind, body),
            Kind::Heartbeat => write::<HeartbeatSpec>(*kind, body),
            Kind::Override => write::<OverrideSpec>(*kind, body),
            Kind::Leave => write::<LeaveSpec>(*kind, body),
            Kind::Silence => write::<SilenceSpec>(*kind, body),
            Kind::Maintenance => write::<MaintenanceSpec>(*kind, body),
        };
        if !out.is_empty() {
            out.push('\n');
        }
        out += &written.map_err(|error| format!("{kind} \"{}\" can't be written: {error}", name(body)))?;
    }
    Ok(out)
}

fn name(body: &Value) -> &str {
    body.get("name").and_then(Value::as_str).unwrap_or_default()
}

/// Through the type, so that fields stand in the order in which they are documented.
fn write<T: Serialize + DeserializeOwned>(kind: Kind, body: &Value) -> Result<String, String> {
    let spec: T = read_json(body.clone())
        .map_err(|errors| errors.into_iter().map(|error| error.message).collect::<Vec<_>>().join("; "))?;
    let mut table = toml::Table::try_from(spec).map_err(|error| error.to_string())?;
    // What says nothing is not written: it reads back as it is.
    table.retain(|_, value| match value {
        toml::Value::String(text) => !text.is_empty(),
        toml::Value::Table(table) => !table.is_empty(),
        _ => true,
    });
    toml::to_string_pretty(&BTreeMap::from([(key(kind), [table])])).map_err(|error| error.to_string())
}
