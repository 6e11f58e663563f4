//! `dogwatch schedule import`: a calendar file of another program as a layer.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use serde_json::{Value, json};

use crate::cli::client::{Server, segment};
use crate::definition::PRIMARY;

/// Make a calendar file (.ics) a layer of a schedule, on top of the others.
///
/// A layer of the same name is replaced, so that a newer file can be brought in by the same command. Whose an event
/// is, is found in its summary or among those invited; one that names nobody is an error.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dogwatch schedule import ops duty.ics
  dogwatch schedule import ops holidays.ics --layer holidays --role secondary")]
pub(super) struct Import {
    /// The schedule
    name: String,
    /// The calendar
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What to call the layer
    #[arg(long, value_name = "NAME", default_value = "calendar")]
    layer: String,
    /// What its people are on call for
    #[arg(long, value_name = "ROLE", default_value = PRIMARY)]
    role: String,
    #[command(flatten)]
    server: Server,
}

impl Import {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let shown = self.file.display();
        let text = std::fs::read_to_string(&self.file).with_context(|| format!("can't read {shown}"))?;
        let path = format!("/api/v1/schedules/{}", segment(&self.name));
        let mut schedule = self.server.expect("GET", &path, None).await?;
        let layer = json!({ "name": self.layer, "role": self.role, "calendar": text });
        let mut none = Vec::new();
        let layers = schedule["layers"].as_array_mut().unwrap_or(&mut none);
        let is_same = |known: &Value| known["name"] == self.layer.as_str() && known.get("calendar").is_some();
        let what = match layers.iter_mut().find(|known| is_same(known)) {
            Some(known) => {
                *known = layer;
                "replaced"
            }
            None => {
                layers.push(layer);
                "added"
            }
        };
        let layers = schedule["layers"].take();
        self.server.expect("PATCH", &path, Some(&json!({ "layers": layers }))).await?;
        println!("{what} the layer \"{}\" of {} with {shown}", self.layer, self.name);
        Ok(())
    }
}
