//! `dogwatch schema`: the JSON Schema of definition files, for editors.

use clap::Args;

use crate::definition::json_schema;

/// Print the JSON Schema of definition files, with which editors complete and check them.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  dogwatch schema > definitions.schema.json

In the first line of a TOML file, `#:schema ./definitions.schema.json` tells editors that use Taplo (as Even Better
TOML in VS Code does) where it is.")]
pub(super) struct SchemaCommand {}

impl SchemaCommand {
    pub(super) fn run(self) -> anyhow::Result<()> {
        println!("{}", serde_json::to_string_pretty(&json_schema())?);
        Ok(())
    }
}
