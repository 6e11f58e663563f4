//! `dogwatch import naemon`: a Naemon or Nagios configuration brought over, with a report to sign off.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use rota::syntax::{self, Root};

use super::definition_files::Disk;
use crate::clock::{Clock, SystemClock};
use crate::definition::file::Loaded;
use crate::definition::{Kind, to_toml};
use crate::naemon::{Imported, Settings, import};

/// Bring the on-call configuration of another program over.
#[derive(Debug, Args)]
pub(super) struct Import {
    #[command(subcommand)]
    from: From,
}

#[derive(Debug, Subcommand)]
enum From {
    Naemon(Naemon),
}

/// Bring a Naemon or Nagios configuration over: contacts, groups, timeperiods, hosts, services and escalations become
/// people, periods, schedules, teams and escalation plans.
///
/// Reads the main configuration (nagios.cfg, naemon.cfg) with all that it names, or object files and folders. Writes
/// definitions, and a report of what was carried over, what was changed and why, what has no counterpart, and which
/// team answers for which host and service. The definitions are checked as `dogwatch check` does; ends with 1 if
/// something is wrong with them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dogwatch import naemon /etc/nagios4/nagios.cfg --zone Europe/Berlin --out definitions/
  dogwatch import naemon /etc/naemon/conf.d > definitions.toml 2> report.txt

Then read the report, and: dogwatch plan definitions/ && dogwatch apply definitions/")]
struct Naemon {
    /// The main configuration, or object files and folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The zone of the server [default: use_timezone of the main configuration, else UTC]
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// Write the definitions into this folder, one file a kind, and the report beside them
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write the report into this file [default: standard error, or report.txt in --out]
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

impl Import {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let From::Naemon(naemon) = self.from;
        naemon.run()
    }
}

impl Naemon {
    fn run(self) -> anyhow::Result<ExitCode> {
        let mut main = Main::default();
        let mut roots: Vec<(String, bool)> = Vec::new();
        for path in &self.paths {
            match main.read(path)? {
                Some(named) => roots.extend(named),
                None => roots.push((path.to_string_lossy().into_owned(), path.is_dir())),
            }
        }
        let zone = self.zone.clone().or(main.zone).unwrap_or_else(|| "UTC".to_owned());
        if rota::zone::find(&zone).is_err() {
            bail!("there is no zone \"{zone}\"; write one such as Europe/Berlin with --zone");
        }
        let now = SystemClock.now();
        let mut settings = Settings::new(zone, now);
        settings.interval_length = main.interval_length.unwrap_or(settings.interval_length);
        let roots: Vec<Root<'_>> = roots
            .iter()
            .map(|(path, is_directory)| if *is_directory { Root::Directory(path) } else { Root::File(path) })
            .collect();
        let document = syntax::read(&mut Disk, &roots);
        let imported = import(&document, &settings);
        let text = to_toml(&imported.documents).map_err(anyhow::Error::msg)?;
        let shown = imported.report.show(&document.files, &imported.routes);
        self.write(&imported, &text, &shown)?;

        let unread: Vec<_> = document.problems.iter().filter(|problem| problem.is_error()).cloned().collect();
        if !unread.is_empty() {
            eprintln!("{}", document.files.render_all(&unread));
        }
        let loaded =
            Loaded::new(syntax::read(&mut Disk, &[]), vec![("definitions.toml".to_owned(), text)], now);
        let wrong: Vec<_> = loaded.problems.iter().filter(|problem| problem.is_error()).cloned().collect();
        if !wrong.is_empty() {
            eprintln!("{}", loaded.files.render_all(&wrong));
        }
        let count = |kind| imported.documents.iter().filter(|(other, _)| *other == kind).count();
        eprintln!(
            "people: {}, periods: {}, schedules: {}, teams: {}, for {} hosts and services; {}",
            count(Kind::Person),
            count(Kind::Period),
            count(Kind::Schedule),
            count(Kind::Team),
            imported.routes.len(),
            match unread.len() + wrong.len() {
                0 => "checked, no errors".to_owned(),
                1 => "1 error".to_owned(),
                errors => format!("{errors} errors"),
            }
        );
        Ok(if unread.is_empty() && wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn write(&self, imported: &Imported, text: &str, shown: &str) -> anyhow::Result<()> {
        let write = |path: &Path, text: &str| {
            std::fs::write(path, text).with_context(|| format!("can't write {}", path.display()))
        };
        match &self.out {
            Some(folder) => {
                std::fs::create_dir_all(folder)
                    .with_context(|| format!("can't make {}", folder.display()))?;
                for kind in Kind::ALL {
                    let own: Vec<_> =
                        imported.documents.iter().filter(|(other, _)| *other == kind).cloned().collect();
                    if !own.is_empty() {
                        let text = to_toml(&own).map_err(anyhow::Error::msg)?;
                        write(&folder.join(format!("{}.toml", kind.word())), &text)?;
                    }
                }
            }
            None => print!("{text}"),
        }
        match (&self.report, &self.out) {
            (Some(file), _) => write(file, shown),
            (None, Some(folder)) => write(&folder.join("report.txt"), shown),
            (None, None) => {
                eprint!("{shown}");
                Ok(())
            }
        }
    }
}

/// What a main configuration says that concerns us.
#[derive(Default)]
struct Main {
    interval_length: Option<u64>,
    zone: Option<String>,
    seen: HashSet<PathBuf>,
}

impl Main {
    /// The files and folders that a main configuration names; nothing, if the path is none.
    fn read(&mut self, path: &Path) -> anyhow::Result<Option<Vec<(String, bool)>>> {
        if path.is_dir() || !self.seen.insert(path.to_owned()) {
            return Ok(None);
        }
        let text = std::fs::read(path).with_context(|| format!("can't read {}", path.display()))?;
        let text = String::from_utf8_lossy(&text);
        let is_main = text.lines().any(|line| {
            let line = line.trim_start();
            line.starts_with("cfg_file=") || line.starts_with("cfg_dir=")
        });
        if !is_main {
            return Ok(None);
        }
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut named = Vec::new();
        for line in text.lines().map(str::trim) {
            let Some((key, value)) = line.split_once('=') else { continue };
            let (key, value) = (key.trim(), value.trim());
            match key {
                "cfg_file" | "cfg_dir" => {
                    let path = folder.join(value);
                    named.push((path.to_string_lossy().into_owned(), key == "cfg_dir"));
                }
                "interval_length" => self.interval_length = value.parse().ok().filter(|length| *length > 0),
                "use_timezone" => self.zone = Some(value.trim_start_matches(':').to_owned()),
                _ => {}
            }
        }
        Ok(Some(named))
    }
}
