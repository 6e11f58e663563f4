//! Events that could not be sent yet, as files in a folder: in order, each on the disk before anybody is told that it
//! is safe.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The most events that wait.
const MOST: usize = 100_000;
/// How long it is remembered that a notification was sent.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);

/// A folder of events.
pub(super) struct Spool {
    folder: PathBuf,
}

/// Nobody else sends from this folder while this is held.
pub(super) struct Turn {
    _lock: File,
}

impl Spool {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn room(&self, name: &str) -> anyhow::Result<PathBuf> {
        let folder = self.folder.join(name);
        fs::create_dir_all(&folder).with_context(|| {
            format!(
                "can't make the spool folder {}; make it, writable for the user that the monitoring runs as, or give \
                 --spool",
                folder.display()
            )
        })?;
        Ok(folder)
    }

    /// What waits, oldest first.
    pub(super) fn waiting(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.folder.join("waiting")) else { return Vec::new() };
        let mut files: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|end| end == "json"))
            .collect();
        files.sort();
        files
    }

    /// Takes the turn to send; none: somebody else has it.
    pub(super) fn turn(&self) -> anyhow::Result<Option<Turn>> {
        let path = self.room("waiting")?.join("lock");
        let lock = File::options().create(true).truncate(false).write(true).open(&path);
        let lock = lock.with_context(|| format!("can't make {}", path.display()))?;
        Ok(lock.try_lock().is_ok().then_some(Turn { _lock: lock }))
    }

    /// Keeps an event. When this returns it is on the disk.
    pub(super) fn keep(&self, event: &Value, now: Timestamp, chance: u64) -> anyhow::Result<PathBuf> {
        let folder = self.room("waiting")?;
        if self.waiting().len() >= MOST {
            anyhow::bail!("{MOST} events wait in {} already", folder.display());
        }
        let path = folder.join(format!("{:015}-{chance:016x}.json", now.as_millisecond()));
        let draft = path.with_extension("draft");
        let write = || {
            let mut file = File::create(&draft)?;
            file.write_all(event.to_string().as_bytes())?;
            file.sync_all()?;
            fs::rename(&draft, &path)?;
            File::open(&folder)?.sync_all()
        };
        write().with_context(|| format!("can't keep the event in {}", folder.display()))?;
        Ok(path)
    }

    /// An event that waits; none: it can't be read, and is put aside.
    pub(super) fn read(&self, path: &Path) -> Option<Value> {
        let read = fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        if read.is_none() {
            self.put_aside(path);
        }
        read
    }

    /// It was sent.
    pub(super) fn forget(&self, path: &Path) {
        // If it stays it is sent once more, and counted on the same alert.
        let _ = fs::remove_file(path);
    }

    /// It was refused, and would be again: it is kept for people to look at.
    pub(super) fn put_aside(&self, path: &Path) {
        let moved = self.room("refused").ok().zip(path.file_name());
        if moved.is_none_or(|(folder, name)| fs::rename(path, folder.join(name)).is_err()) {
            let _ = fs::remove_file(path);
        }
    }

    /// Remembers that a notification is being sent. Says whether it is new: one command runs for each contact.
    pub(super) fn is_new(&self, once: &str, now: Timestamp) -> bool {
        let Ok(folder) = self.room("sent") else { return true };
        self.forget_old(&folder, now);
        let path = mark(&folder, once);
        match File::options().write(true).create_new(true).open(path) {
            Ok(_) => true,
            // Where nothing can be remembered nothing is left out.
            Err(error) => error.kind() != std::io::ErrorKind::AlreadyExists,
        }
    }

    /// It was not sent after all.
    pub(super) fn unmark(&self, once: &str) {
        let _ = fs::remove_file(mark(&self.folder.join("sent"), once));
    }

    fn forget_old(&self, folder: &Path, now: Timestamp) {
        let Ok(entries) = fs::read_dir(folder) else { return };
        for entry in entries.flatten() {
            let made = entry.metadata().and_then(|data| data.modified()).ok();
            let made = made.and_then(|made| Timestamp::try_from(made).ok());
            if made.is_some_and(|made| now.duration_since(made) > REMEMBERED) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

fn mark(folder: &Path, once: &str) -> PathBuf {
    folder.join(URL_SAFE_NO_PAD.encode(Sha256::digest(once.as_bytes())))
}
