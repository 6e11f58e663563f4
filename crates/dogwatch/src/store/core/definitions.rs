//! Edits of definitions: everything is checked before anything is written.

use std::sync::Arc;

use jiff::Timestamp;

use super::Core;
use crate::definition::{Defined, Definitions, FieldError, Kind, Owner, Step, Wanted, Write};
use crate::store::rows::Rows;
use crate::store::{Access, Applied, Defining, Edit, Expect, StoreError};

/// Given what is in force, says what is to be.
type EditOne<'a> = dyn Fn(Option<&serde_json::Value>) -> Result<Write, Vec<FieldError>> + 'a;

impl<R: Rows> Core<R> {
    pub(crate) async fn define(
        &mut self,
        now: Timestamp,
        kind: Kind,
        name: &str,
        expect: Expect,
        force: bool,
        edit: &EditOne<'_>,
    ) -> Result<Defining, StoreError> {
        self.lock_definitions().await?;
        let definitions = self.memory.definitions.clone();
        let current = definitions.get(kind, name);
        if let Some(refused) = unexpected(expect, current) {
            return Ok(refused);
        }
        if let Some(owner @ Owner::Files(_)) = current.map(|defined| &defined.owner)
            && !force
        {
            return Ok(Defining::Kept(owner.clone()));
        }
        match edit(current.map(|defined| &defined.body)) {
            Ok(write) => self.define_all(now, &[Edit { name: name.to_owned(), expect, write }]).await,
            Err(problems) => Ok(Defining::Invalid(problems)),
        }
    }

    /// Everything is checked before anything is written: a refusal leaves nothing behind.
    pub(crate) async fn define_all(
        &mut self,
        now: Timestamp,
        edits: &[Edit],
    ) -> Result<Defining, StoreError> {
        self.lock_definitions().await?;
        let mut changed = Definitions::clone(&self.memory.definitions);
        let mut versions: Vec<(Kind, &str, Option<serde_json::Value>, Owner)> = Vec::new();
        let mut unchanged = None;
        for Edit { name, expect, write } in edits {
            let kind = match write {
                Write::Put { kind, .. } | Write::Remove { kind, .. } => *kind,
            };
            let current = changed.get(kind, name).cloned();
            if let Some(refused) = unexpected(*expect, current.as_ref()) {
                return Ok(refused);
            }
            let version = self.memory.definitions.version + versions.len() as u64 + 1;
            let owner = current.as_ref().map(|defined| defined.owner.clone()).unwrap_or_default();
            match write {
                Write::Put { body, .. } => {
                    let (checked, normal) = match changed.check(kind, body.clone(), now) {
                        Ok(checked) => checked,
                        Err(problems) => return Ok(Defining::Invalid(problems)),
                    };
                    if checked != *name {
                        let message = format!(
                            "is \"{checked}\", but \"{name}\" was addressed; a name is never changed"
                        );
                        return Ok(Defining::Invalid(vec![FieldError { field: "name".to_owned(), message }]));
                    }
                    if let Some(defined) = current.filter(|defined| defined.body == normal) {
                        // Nothing differs: no new version, so that saving twice is harmless.
                        unchanged = Some(defined.version);
                        continue;
                    }
                    let body = normal.clone();
                    let defined = Defined { version, valid_from: now, body, owner: owner.clone() };
                    changed.apply(kind, name, Some(defined));
                    versions.push((kind, name, Some(normal), owner));
                }
                Write::Remove { .. } => {
                    let users = changed.users(kind, name);
                    if !users.is_empty() {
                        return Ok(Defining::InUse(users));
                    }
                    changed.apply(kind, name, None);
                    versions.push((kind, name, None, owner));
                }
            }
        }
        if versions.is_empty() {
            return Ok(Defining::Done(unchanged.unwrap_or(changed.version)));
        }
        for (kind, name, body, owner) in versions {
            changed.version = self.rows.insert_definition(now, kind, name, body.as_ref(), &owner).await?;
        }
        let version = changed.version;
        self.put_in_force(now, changed).await?;
        Ok(Defining::Done(version))
    }

    /// What is edited is the newest, and nobody else edits meanwhile.
    async fn lock_definitions(&mut self) -> Result<(), StoreError> {
        self.rows.lock_definitions().await?;
        self.catch_up().await
    }

    async fn put_in_force(&mut self, now: Timestamp, changed: Definitions) -> Result<(), StoreError> {
        let before = self.memory.definitions.clone();
        self.rosters_changed(now, before.directory(), changed.directory()).await?;
        self.silences_changed(now, before.directory(), changed.directory()).await?;
        self.integrations_changed(now, &before, &changed).await?;
        let changed = Arc::new(changed);
        self.memory.definitions = changed.clone();
        self.heartbeats_changed(now, &before, &changed).await?;
        self.stirred.seen = true;
        Ok(())
    }

    /// The keys of an integration end with it: a later one of the same name is another.
    async fn integrations_changed(
        &mut self,
        now: Timestamp,
        before: &Definitions,
        after: &Definitions,
    ) -> Result<(), StoreError> {
        let gone: Vec<String> = before
            .names(Kind::Integration)
            .filter(|name| after.get(Kind::Integration, name).is_none())
            .map(str::to_owned)
            .collect();
        for name in gone {
            let mut access = Access::clone(&self.memory.access);
            access.version = self.rows.revoke_keys(&name, now).await?;
            access.remove_keys(&name);
            self.memory.access = Arc::new(access);
        }
        Ok(())
    }

    pub(crate) async fn apply(
        &mut self,
        now: Timestamp,
        wanted: &Wanted,
        planned: Option<u64>,
    ) -> Result<Applied, StoreError> {
        self.lock_definitions().await?;
        let current = self.memory.definitions.version;
        if planned.is_some_and(|planned| planned != current) {
            return Ok(Applied::Moved(current));
        }
        let mut changed = match self.memory.definitions.change(wanted, now) {
            Ok(changed) => changed,
            Err(errors) => return Ok(Applied::Invalid(errors)),
        };
        for Step { kind, name, after, .. } in &changed.steps {
            let body = after.as_ref().map(|after| &after.body);
            changed.definitions.version =
                self.rows.insert_definition(now, *kind, name, body, &wanted.owner).await?;
        }
        if !changed.steps.is_empty() {
            self.put_in_force(now, changed.definitions.clone()).await?;
        }
        Ok(Applied::Done(Box::new(changed)))
    }
}

/// Why an edit is not carried out, if what is there is not what was expected.
fn unexpected(expect: Expect, current: Option<&Arc<Defined>>) -> Option<Defining> {
    match (expect, current) {
        (Expect::Absent, Some(_)) => Some(Defining::Exists),
        (Expect::Present | Expect::Version(_), None) => Some(Defining::Missing),
        (Expect::Version(wanted), Some(defined)) if defined.version != wanted => {
            Some(Defining::Moved(defined.version))
        }
        _ => None,
    }
}
