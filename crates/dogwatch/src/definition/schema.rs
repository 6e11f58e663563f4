//! The JSON Schema of definition files, made from the types that read them, so that editors complete and check.

use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::file::key;
use super::{
    EscalationPlanSpec, HeartbeatSpec, IntegrationSpec, Kind, LeaveSpec, MaintenanceSpec, OverrideSpec,
    PeriodSpec, PersonSpec, RotationSpec, ScheduleSpec, SilenceSpec, TeamSpec,
};

/// Fields of periods that may be a single text instead of a list.
const ONE_OR_MANY: [(&str, &str); 4] = [
    ("PeriodSpec", "use"),
    ("PeriodSpec", "exclude"),
    ("PeriodRuleSpec", "days"),
    ("PeriodRuleSpec", "hours"),
];

/// The schema (draft 2020-12) of a file of definitions.
pub fn json_schema() -> Value {
    let mut types: Vec<(String, RefOr<Schema>)> = Vec::new();
    let mut properties = Map::new();
    for kind in Kind::ALL {
        let name = match kind {
            Kind::Person => add::<PersonSpec>(&mut types),
            Kind::Period => add::<PeriodSpec>(&mut types),
            Kind::Rotation => add::<RotationSpec>(&mut types),
            Kind::Schedule => add::<ScheduleSpec>(&mut types),
            Kind::EscalationPlan => add::<EscalationPlanSpec>(&mut types),
            Kind::Team => add::<TeamSpec>(&mut types),
            Kind::Integration => add::<IntegrationSpec>(&mut types),
            Kind::Heartbeat => add::<HeartbeatSpec>(&mut types),
            Kind::Override => add::<OverrideSpec>(&mut types),
            Kind::Leave => add::<LeaveSpec>(&mut types),
            Kind::Silence => add::<SilenceSpec>(&mut types),
            Kind::Maintenance => add::<MaintenanceSpec>(&mut types),
        };
        let items = json!({ "$ref": format!("#/$defs/{name}") });
        properties.insert(key(kind).to_owned(), json!({ "type": "array", "items": items }));
    }
    let mut defs = Map::new();
    for (name, schema) in types {
        let mut schema = serde_json::to_value(schema).unwrap_or_default();
        point_here(&mut schema);
        defs.insert(name, schema);
    }
    for (name, field) in ONE_OR_MANY {
        if let Some(list) = defs.get_mut(name).and_then(|schema| schema["properties"].get_mut(field)) {
            let many = list.take();
            *list = json!({ "anyOf": [{ "type": "string" }, many] });
        }
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Definitions of Dogwatch",
        "description": "People, periods, rotations, schedules, escalation plans, teams, integrations, heartbeats, overrides and leave.",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "$defs": defs,
    })
}

fn add<T: ToSchema + PartialSchema>(types: &mut Vec<(String, RefOr<Schema>)>) -> String {
    let name = T::name().into_owned();
    types.push((name.clone(), T::schema()));
    T::schemas(types);
    name
}

/// References of OpenAPI, as they are written here.
fn point_here(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get_mut("$ref") {
                *reference = reference.replace("#/components/schemas/", "#/$defs/");
            }
            fields.values_mut().for_each(point_here);
        }
        Value::Array(entries) => entries.iter_mut().for_each(point_here),
        _ => {}
    }
}
