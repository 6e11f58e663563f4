//! `dogwatch export`: everything that is defined, written out as files.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;
use serde_json::Value;

use super::client::{Server, segment, text};
use crate::definition::{Kind, to_toml};

/// Write everything that is defined on a server as TOML.
///
/// In a stable order: kinds in the order in which they refer to each other, each by name. Applied again, it changes
/// nothing, and exported once more it is the same, byte for byte. Overrides and leave that people made as they went are
/// left out unless --operations asks for them. There are no secrets in definitions, and none are written.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dogwatch export > definitions.toml
  dogwatch export --out definitions/
  dogwatch export --owner sre")]
pub(super) struct Export {
    /// Also overrides and leave that people made as they went
    #[arg(long)]
    operations: bool,
    /// Only what this set of files keeps
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// Write one file a kind into this folder instead
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    server: Server,
}

impl Export {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let owner = self.owner.as_ref().map(|owner| format!("&owner={}", segment(owner))).unwrap_or_default();
        let path = format!("/api/v1/definitions?operations={}{owner}", self.operations);
        let answer = self.server.expect("GET", &path, None).await?;
        if self.server.is_json() {
            println!("{answer}");
            return Ok(());
        }
        let documents = read(&answer)?;
        match &self.out {
            Some(folder) => write_folder(folder, &documents),
            None => {
                print!("{}", to_toml(&documents).map_err(anyhow::Error::msg)?);
                Ok(())
            }
        }
    }
}

fn read(answer: &Value) -> anyhow::Result<Vec<(Kind, Value)>> {
    let documents = answer["documents"].as_array().context("the server's answer can't be read")?;
    let documents = documents.iter().map(|document| {
        let word = text(&document["kind"]);
        let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word);
        let kind =
            kind.ok_or_else(|| anyhow!("the server knows a kind \"{word}\", which this program does not"))?;
        Ok((kind, document["body"].clone()))
    });
    documents.collect()
}

fn write_folder(folder: &Path, documents: &[(Kind, Value)]) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("can't make {}", folder.display()))?;
    for kind in Kind::ALL {
        let own: Vec<_> = documents.iter().filter(|(other, _)| *other == kind).cloned().collect();
        let file = folder.join(format!("{}.toml", kind.word()));
        // A file of an earlier export would bring back what is gone: it becomes empty.
        if own.is_empty() && !file.exists() {
            continue;
        }
        std::fs::write(&file, to_toml(&own).map_err(anyhow::Error::msg)?)
            .with_context(|| format!("can't write {}", file.display()))?;
        println!("{}: {}", file.display(), own.len());
    }
    Ok(())
}
