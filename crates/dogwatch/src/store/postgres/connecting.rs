//! Connections to PostgreSQL are made here: to the one of several servers that takes writes.
//!
//! All servers that an address names are asked at the same time, and the first that takes writes is spoken to. One that
//! is frozen takes connections and says nothing: it must not keep us from the one that took its place.

use std::future::poll_fn;
use std::time::Duration;

use anyhow::Context;
use futures_util::future::select_ok;
use tokio::time::timeout;
use tokio_postgres::{AsyncMessage, Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::connection::{DEADLINE, late};
use crate::store::StoreError;

/// How long one of several servers may take to say that it takes writes. Then all are asked again.
const ONE_OF_SEVERAL: Duration = Duration::from_secs(2);

/// How long a lock is waited for.
const LOCK_MILLIS: u32 = 250;

/// How long a transaction of ours may say nothing, before the database ends it with its connection: a node that is
/// frozen, or whose machine is gone, must not keep what it has locked from the others.
const SILENT_MILLIS: u32 = 10_000;

/// How often it is looked whether two connections are led to one session.
const LOOKS: usize = 5;

fn servers(config: &Config) -> usize {
    config.get_hosts().len().max(config.get_hostaddrs().len())
}

/// The same for one of its servers alone.
fn only(config: &Config, place: usize) -> Config {
    let mut one = Config::new();
    if let Some(user) = config.get_user() {
        one.user(user);
    }
    if let Some(password) = config.get_password() {
        one.password(password);
    }
    if let Some(name) = config.get_dbname() {
        one.dbname(name);
    }
    if let Some(options) = config.get_options() {
        one.options(options);
    }
    if let Some(name) = config.get_application_name() {
        one.application_name(name);
    }
    match config.get_hosts().get(place) {
        Some(tokio_postgres::config::Host::Tcp(host)) => drop(one.host(host)),
        #[cfg(unix)]
        Some(tokio_postgres::config::Host::Unix(folder)) => drop(one.host_path(folder)),
        None => {}
    }
    if let Some(address) = config.get_hostaddrs().get(place) {
        one.hostaddr(*address);
    }
    // One port is that of all.
    if let Some(port) = config.get_ports().get(place).or(config.get_ports().first()) {
        one.port(*port);
    }
    if let Some(limit) = config.get_connect_timeout() {
        one.connect_timeout(*limit);
    }
    if let Some(limit) = config.get_tcp_user_timeout() {
        one.tcp_user_timeout(*limit);
    }
    if let Some(interval) = config.get_keepalives_interval() {
        one.keepalives_interval(interval);
    }
    if let Some(retries) = config.get_keepalives_retries() {
        one.keepalives_retries(retries);
    }
    one.keepalives(config.get_keepalives())
        .keepalives_idle(config.get_keepalives_idle())
        .ssl_mode(config.get_ssl_mode())
        .ssl_negotiation(config.get_ssl_negotiation())
        .channel_binding(config.get_channel_binding())
        .target_session_attrs(config.get_target_session_attrs());
    one
}

/// Makes a connection, and runs it on this thread until it ends; what the server tells unasked goes to `told`.
pub(super) async fn connect(
    config: &Config,
    tls: &MakeRustlsConnect,
    mut told: impl FnMut(AsyncMessage) + 'static,
) -> Result<Client, StoreError> {
    let several = servers(config);
    let limit = if several > 1 { ONE_OF_SEVERAL } else { DEADLINE };
    let made = select_ok((0..several.max(1)).map(|place| {
        let (one, tls) = (only(config, place), tls.clone());
        Box::pin(async move {
            let made = timeout(limit, one.connect(tls)).await;
            made.map_err(|_| late("a connection", limit))?.map_err(StoreError::from)
        })
    }));
    let ((client, mut connection), _) = made.await?;
    tokio::task::spawn_local(async move {
        while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
            match message {
                Ok(message) => told(message),
                Err(error) => {
                    tracing::debug!(%error, "a connection to the database ended");
                    break;
                }
            }
        }
    });
    // Two transactions of several jobs each may wait for each other: then one soon gives way, and its jobs are run one
    // by one. PostgreSQL itself finds that out after a second only.
    //
    // Every statement here has its index, and its plan is made once: while a table is small, or not yet counted, its
    // planner would rather read all of it, and keep to that.
    let settings = format!(
        "SET lock_timeout = {LOCK_MILLIS}; SET idle_in_transaction_session_timeout = {SILENT_MILLIS}; \
         SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan; SET jit = off"
    );
    timeout(DEADLINE, client.batch_execute(&settings)).await.map_err(|_| late("a statement", DEADLINE))??;
    Ok(client)
}

/// Makes sure that a connection is a session of its own. A pooler that gives sessions to others after each transaction
/// would lose our locks and what nodes tell each other, now and then, and without a word.
///
/// # Errors
///
/// It is not, or the database can't be reached.
pub(super) async fn refuse_pooler(config: &Config, tls: &MakeRustlsConnect) -> anyhow::Result<()> {
    let connected = async || connect(config, tls, |_| {}).await.context("can't connect to the database");
    let (one, other) = (connected().await?, connected().await?);
    // Simple statements: a pooler may not know prepared ones.
    let session = async |client: &Client, statements: &str| -> anyhow::Result<String> {
        let told = timeout(DEADLINE, client.simple_query(statements)).await.context("no answer")??;
        let told = told.iter().find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        });
        told.context("the database does not say which session this is")
    };
    for _ in 0..LOOKS {
        let before = session(&one, "SELECT pg_backend_pid()").await?;
        // A transaction keeps its session: where sessions are lent, this takes the one that was just free.
        let taken = session(&other, "BEGIN; SELECT pg_backend_pid()").await?;
        let after = session(&one, "SELECT pg_backend_pid()").await?;
        timeout(DEADLINE, other.simple_query("ROLLBACK")).await.context("no answer")??;
        anyhow::ensure!(
            before == after && before != taken,
            "the address of the database leads to a pooler that lends sessions for a transaction (PgBouncer with \
             pool_mode = transaction); Dogwatch keeps locks and listens on its sessions: name the database itself, or a \
             pool with pool_mode = session"
        );
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use tokio_postgres::config::TargetSessionAttrs;

    use super::super::address::Address;
    use super::*;

    #[test]
    fn each_of_several_servers_is_asked_by_itself_and_only_for_one_that_takes_writes() {
        let address =
            "postgres://dog:pw@db1:5433,db2:5434/watch?sslmode=require&keepalives_idle=7&options=-cx%3D1";
        let config = Address::read(address).unwrap().config;
        assert_eq!(servers(&config), 2);
        let (first, second) = (only(&config, 0), only(&config, 1));
        assert_eq!((first.get_hosts().len(), first.get_ports()), (1, &[5433][..]));
        assert_eq!(second.get_ports(), [5434]);
        // Everything else is as it was: written out, the two differ in nothing but the server.
        let words = |config: &Config| {
            let text = format!("{config:?}");
            ["hosts", "host:", "ports", "port:"].iter().fold(text, |text, part| match text.split_once(part) {
                Some((before, after)) => {
                    format!("{before}{}", after.split_once(']').map_or("", |(_, rest)| rest))
                }
                None => text,
            })
        };
        assert_eq!(words(&config), words(&first));
        assert_eq!(words(&config), words(&second));
        assert_eq!(config.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
        assert_eq!(first.get_password(), Some(&b"pw"[..]));
    }

    #[test]
    fn one_port_is_that_of_all() {
        let config = Address::read("host=db1,db2 port=5440 user=dog").unwrap().config;
        assert_eq!(only(&config, 1).get_ports(), [5440]);
    }
}
