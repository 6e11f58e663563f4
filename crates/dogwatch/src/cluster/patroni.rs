//! What Patroni says of itself, at the addresses that the configuration names.
//!
//! `doctor` asks it. Whoever asks whether we are ready does so every second and waits for nobody: that one is told what
//! was found a while ago.

use std::sync::{Arc, Mutex};

use jiff::SignedDuration;

use super::{Caution, caution};
use crate::clock::{Clock, lock};
use crate::outbound::{Outbound, innermost};
use crate::shutdown::Shutdown;
use crate::store::Store;
use crate::store::nodes::Cluster;

/// How long it may take to answer.
const PATIENCE: SignedDuration = SignedDuration::from_secs(2);
/// How often it is asked though nobody wants to know.
const EVERY: SignedDuration = SignedDuration::from_secs(60);
/// The first version that is safe over etcd's API v3.
const SAFE: (u32, u32) = (3, 1);

/// The addresses, and what was found there last. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Patroni {
    urls: Arc<[String]>,
    found: Arc<Mutex<Vec<Caution>>>,
}

impl Patroni {
    /// At these addresses; none: there is no Patroni, or nobody has named it.
    pub fn at(urls: &[String]) -> Self {
        Self { urls: urls.into(), found: Arc::default() }
    }

    /// What was found last.
    pub fn found(&self) -> Vec<Caution> {
        lock(&self.found).clone()
    }

    /// Asks which version it is, everywhere.
    ///
    /// # Errors
    ///
    /// When the TLS library can't be set up.
    pub async fn ask(&self, cluster: &Cluster) -> anyhow::Result<Vec<Caution>> {
        let mut found = Vec::new();
        // Debian names clusters, too, as "15/main".
        if self.urls.is_empty() && !cluster.cluster_name.is_empty() && !cluster.cluster_name.contains('/') {
            let text = "the database seems to be Patroni's; which version could not be looked at: name the addresses of its \
                 REST API as patroni in the configuration";
            found.push(caution("not_looked_at", false, text));
        }
        if !self.urls.is_empty() {
            let outbound = Outbound::unguarded(PATIENCE)?;
            for url in &*self.urls {
                found.extend(ask_one(&outbound, url).await);
            }
        }
        *lock(&self.found) = found.clone();
        Ok(found)
    }

    /// Asks again and again, until told to stop.
    pub async fn run(self, store: Store, clock: Arc<dyn Clock>, mut shutdown: Shutdown) {
        loop {
            let next = clock.now() + EVERY;
            // A database that can't be asked says so elsewhere.
            if let Ok(Some(cluster)) = store.cluster().await
                && let Err(error) = self.ask(&cluster).await
            {
                tracing::error!(%error, "Patroni can't be asked");
            }
            tokio::select! {
                () = clock.wait_until(next) => {}
                () = shutdown.asked() => return,
            }
        }
    }
}

/// What there is to say of one.
async fn ask_one(outbound: &Outbound, url: &str) -> Option<Caution> {
    let answer = async {
        let answer = outbound.client().get(format!("{}/patroni", url.trim_end_matches('/'))).send().await?;
        answer.json::<serde_json::Value>().await
    };
    match answer.await {
        Ok(told) => judge(url, &told),
        Err(error) => {
            let text = format!("Patroni does not answer at {url}: {}", innermost(&error));
            Some(caution("not_looked_at", false, text))
        }
    }
}

/// What Patroni's own words say against it. It does not say which store of consensus it uses.
fn judge(url: &str, told: &serde_json::Value) -> Option<Caution> {
    let Some(version) = told["patroni"]["version"].as_str() else {
        return Some(caution("not_looked_at", false, format!("what answers at {url} is no Patroni")));
    };
    let mut numbers = version.split('.').map(|part| part.parse().unwrap_or(0));
    let (major, minor) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    ((major, minor) < SAFE).then(|| {
        let text = format!(
            "Patroni at {url} is {version}: before 3.1 it may promote two primaries over etcd3 after a machine was frozen, \
             and accepted events are lost; use 3.1 or newer, or etcd by its API v2 (which of them it uses, it does not say)"
        );
        caution("old_patroni", true, text)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_old_patroni_is_told() {
        let judged = |version: &str| judge("http://db1:8008", &json!({ "patroni": { "version": version } }));
        assert!(judged("3.0.2").unwrap().is_grave && judged("2.1.7").is_some());
        assert_eq!(judged("3.0.2").unwrap().kind, "old_patroni");
        assert_eq!((judged("3.1.0"), judged("4.1.5"), judged("10.0")), (None, None, None));
        assert!(judge("http://db1:8008", &json!({})).unwrap().text.contains("no Patroni"));
    }

    #[tokio::test]
    async fn what_could_not_be_looked_at_is_told() {
        let named = |name: &str| Cluster { cluster_name: name.to_owned(), ..super::super::tests::well() };
        let nowhere = Patroni::default();
        assert!(nowhere.ask(&named("prod")).await.unwrap()[0].text.contains("could not be looked at"));
        assert_eq!(nowhere.found().len(), 1);
        assert_eq!(nowhere.ask(&named("")).await.unwrap(), []);
        assert_eq!(nowhere.ask(&named("15/main")).await.unwrap(), []);
        assert_eq!(nowhere.found(), []);
    }
}
