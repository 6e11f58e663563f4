//! `dogwatch schedule list`: the schedules that there are.

use clap::Args;

use crate::cli::on_call::Where;
use crate::definition::{LayerSpec, ScheduleSpec};

/// List the schedules: their zone and roles, and whom their layers name.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dogwatch schedule list
  dogwatch schedule list --config definitions/")]
pub(super) struct List {
    #[command(flatten)]
    from: Where,
}

impl List {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let is_json = self.from.is_json();
        let schedules = self.from.open()?.schedules().await?;
        if is_json {
            println!("{}", serde_json::json!({ "items": schedules }));
            return Ok(());
        }
        if schedules.is_empty() {
            println!("no schedules");
        }
        let width = schedules.iter().map(|schedule| schedule.name.chars().count()).max().unwrap_or(0);
        for schedule in &schedules {
            print(schedule, width);
        }
        Ok(())
    }
}

fn print(schedule: &ScheduleSpec, width: usize) {
    let description = schedule.description.lines().next().unwrap_or("");
    println!("{}", format!("{:<width$}  {}  {description}", schedule.name, schedule.zone).trim_end());
    // The topmost layer wins, and stands on top.
    for layer in schedule.layers.iter().rev() {
        println!("{:<width$}    {}", "", describe(layer));
    }
}

/// `primary: rotation ops-weekly in period weekdays`.
fn describe(layer: &LayerSpec) -> String {
    let who = match &layer.rotation {
        Some(rotation) => format!("rotation {rotation}"),
        None if layer.calendar.is_some() => "a calendar".to_owned(),
        None => layer.people.join(", "),
    };
    let ahead = match layer.ahead {
        0 => String::new(),
        1 => ", the turn after the present one".to_owned(),
        turns => format!(", {turns} turns ahead"),
    };
    let period = layer.period.as_ref().map(|period| format!(", in {period}")).unwrap_or_default();
    let shadow = if layer.shadow { ", only told" } else { "" };
    format!("{}: {who}{ahead}{period}{shadow}", layer.role)
}
