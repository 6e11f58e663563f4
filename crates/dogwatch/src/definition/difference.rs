//! What differs between two documents, field by field.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A field that says something else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FieldChange {
    /// Its path, as `steps[0].after`.
    pub field: String,
    /// What it said; null: it was not there.
    #[schema(value_type = Object)]
    pub before: Value,
    /// What it says; null: it is not there any more.
    #[schema(value_type = Object)]
    pub after: Value,
}

/// The fields in which two documents differ, in order of their paths. Lists are compared entry by entry; one that
/// only names things is told as a whole. Without what Dogwatch works out for itself, unless nothing else differs.
pub fn field_changes(before: &Value, after: &Value) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    compare("", before, after, &mut changes);
    let is_written = |change: &FieldChange| !change.field.starts_with("editions");
    if changes.iter().any(is_written) {
        changes.retain(is_written);
    }
    changes
}

fn compare(path: &str, before: &Value, after: &Value, changes: &mut Vec<FieldChange>) {
    if before == after {
        return;
    }
    match (before, after) {
        (Value::Object(one), Value::Object(other)) => {
            let added = other.keys().filter(|name| !one.contains_key(*name));
            let mut names: Vec<&String> = one.keys().chain(added).collect();
            names.sort();
            for name in names {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let (before, after) = (one.get(name), other.get(name));
                compare(&path, before.unwrap_or(&Value::Null), after.unwrap_or(&Value::Null), changes);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.iter().chain(other).any(Value::is_object) => {
            for index in 0..one.len().max(other.len()) {
                let (before, after) = (one.get(index), other.get(index));
                let path = format!("{path}[{index}]");
                compare(&path, before.unwrap_or(&Value::Null), after.unwrap_or(&Value::Null), changes);
            }
        }
        _ => {
            changes.push(FieldChange { field: path.to_owned(), before: before.clone(), after: after.clone() })
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_told_by_their_paths() {
        let before =
            json!({ "name": "ops", "members": ["a", "b"], "steps": [{ "after": "5m" }, { "after": "1m" }] });
        let after = json!({ "name": "ops", "members": ["a"], "steps": [{ "after": "10m" }], "repeat": 1 });
        let told: Vec<String> = field_changes(&before, &after)
            .into_iter()
            .map(|change| format!("{}: {} -> {}", change.field, change.before, change.after))
            .collect();
        assert_eq!(
            told,
            [
                r#"members: ["a","b"] -> ["a"]"#,
                "repeat: null -> 1",
                r#"steps[0].after: "5m" -> "10m""#,
                r#"steps[1]: {"after":"1m"} -> null"#,
            ]
        );
    }
}
