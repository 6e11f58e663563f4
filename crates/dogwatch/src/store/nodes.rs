//! What nodes over one database know of each other, and of the database: who there is, how the providers are doing.
//!
//! Over SQLite there is one node, which knows itself. What the rules for providers are is in
//! `channel/providers/health.rs`; what is wrong with a cluster is said in `cluster.rs`.

use jiff::{SignedDuration, Timestamp};

use super::{Backend, Store, StoreError};

/// A node that shares the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it calls itself: another name after each start.
    pub name: String,
    /// The name of its machine.
    pub machine: String,
    /// Which Dogwatch it runs.
    pub version: String,
    /// Since when it runs.
    pub started_at: Timestamp,
    /// When it last said that it lives.
    pub seen_at: Timestamp,
    /// By how much the database's time is ahead of its machine's.
    pub ahead: SignedDuration,
}

/// The nodes, and how the database keeps what they accept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Every node that has not said that it stops, those that are gone included, until an hour has passed.
    pub nodes: Vec<Node>,
    /// The setting `fsync` is on.
    pub is_synced: bool,
    /// The setting `synchronous_commit`.
    pub synchronous_commit: String,
    /// The setting `synchronous_standby_names`.
    pub synchronous_standby_names: String,
    /// Standbys without which no commit is answered; none: our role may not look.
    pub synchronous_standbys: Option<u64>,
    /// The setting `cluster_name`, which Patroni makes.
    pub cluster_name: String,
    /// When the oldest wake was due that nobody has handled.
    pub oldest_due: Option<Timestamp>,
    /// Now, by the database.
    pub now: Timestamp,
}

/// How a provider is doing, as all nodes know it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The second that is counted, since 1970, and what has begun in it.
    pub second: (i64, u32),
    /// Failures in a row.
    pub failures: u32,
    /// It is left alone until then, and why.
    pub rest: Option<(Timestamp, String)>,
    /// It asked to be left alone until then.
    pub held_until: Option<Timestamp>,
    /// When the operators were last told of its account.
    pub told_at: Option<Timestamp>,
}

impl Store {
    /// What is known of the nodes and the database that they share; none: there is nothing to share.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn cluster(&self) -> Result<Option<Cluster>, StoreError> {
        match &self.backend {
            Backend::Sqlite(_) => Ok(None),
            Backend::Postgres(postgres) => postgres.ask(super::postgres::look).await.map(Some),
        }
    }

    /// Whether it is `holder`'s turn to do what one of several nodes is to do alone: then it stays so for `length`, and as
    /// long as it asks again in time. Where there are no others it always is.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: nobody knows.
    pub async fn take_turn(
        &self,
        what: &str,
        holder: &str,
        length: SignedDuration,
    ) -> Result<bool, StoreError> {
        let holder = holder.to_owned();
        // Kept as a provider's rest is: something that is left alone until then, and by whom.
        let take = move |standing: &mut Standing, now: Timestamp| {
            let is_mine = standing.rest.as_ref().is_none_or(|(until, by)| *until <= now || *by == holder);
            if is_mine {
                standing.rest = Some((now + length, holder.clone()));
            }
            is_mine
        };
        let taken = self.change_standing(format!("turn: {what}"), take).await?;
        Ok(taken.is_none_or(|(is_mine, _)| is_mine))
    }

    /// Gives a turn back before its time.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: it ends by itself.
    pub async fn give_turn(&self, what: &str, holder: &str) -> Result<(), StoreError> {
        let holder = holder.to_owned();
        let give = move |standing: &mut Standing, _: Timestamp| {
            standing.rest.take_if(|(_, by)| *by == holder);
        };
        self.change_standing(format!("turn: {what}"), give).await.map(drop)
    }

    /// Takes in what other nodes have changed, where there are others.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: it is not known.
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        match &self.backend {
            Backend::Sqlite(_) => Ok(()),
            Backend::Postgres(postgres) => {
                // One after the other: whoever guesses tokens keeps one connection busy at most.
                let _turn = postgres.looking().await;
                let newest = postgres.ask(async |sql| super::sql::access::versions(sql).await).await?;
                if newest.access <= self.access().version {
                    return Ok(());
                }
                // Every transaction begins with taking in what is new.
                postgres.promise(async |_, _| Ok(())).await
            }
        }
    }

    /// Changes how a provider is doing, for all nodes, one after the other; none: there are no others. Returns what
    /// `change` comes to, and how the provider is doing then.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: nothing was changed, or nobody knows.
    pub async fn change_standing<R: Send + 'static>(
        &self,
        provider: String,
        change: impl Fn(&mut Standing, Timestamp) -> R + Send + 'static,
    ) -> Result<Option<(R, Standing)>, StoreError> {
        let Backend::Postgres(postgres) = &self.backend else { return Ok(None) };
        let changed = postgres.promise(async move |core, now| {
            core.change_standing(&provider, |standing| change(standing, now)).await
        });
        changed.await.map(Some)
    }
}
