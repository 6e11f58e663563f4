//! Which database the tests run over: SQLite, or with `DOGWATCH_TEST_STORE=postgres` PostgreSQL.
//!
//! A PostgreSQL of our own is started once, from Debian's package, without a port, and stops with the tests;
//! `DOGWATCH_TEST_POSTGRES` names another one, such as `postgres://me@%2Frun%2Fpostgresql/postgres`. Each service
//! under test gets a database of its own.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

/// Whether the tests run over PostgreSQL.
pub fn is_postgres() -> bool {
    std::env::var("DOGWATCH_TEST_STORE").is_ok_and(|word| word == "postgres")
}

/// Starts a server in the folder `$1`, says "ready", and stops it when its input ends: when the tests do.
const SERVER: &str = r#"
set -e
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
"$bin/initdb" -D "$1/data" -U dogwatch --auth=trust --no-sync -E UTF8 --locale=C >/dev/null
"$bin/postgres" -D "$1/data" -k "$1" -h '' -c fsync=off -c synchronous_commit=off -c full_page_writes=off \
  -c max_connections=400 -c shared_buffers=64MB -c track_commit_timestamp=on >"$1/log" 2>&1 </dev/null &
until "$bin/pg_isready" -q -h "$1"; do kill -0 $!; sleep 0.1; done
echo ready
cat >/dev/null
kill -INT $!
wait $! || true
rm -rf "$1"
"#;

/// A shell that may run PostgreSQL, which refuses to run as root; the folder is given to it.
pub fn as_postgres(folder: &str) -> Command {
    let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    let mut command = Command::new(if is_root { "runuser" } else { "sh" });
    if is_root {
        assert!(Command::new("chown").args(["postgres", folder]).status().unwrap().success());
        command.args(["-u", "postgres", "--", "sh"]);
    }
    command
}

/// The address of the server that makes databases.
fn server() -> &'static str {
    static STARTED: OnceLock<(String, Mutex<Option<Child>>)> = OnceLock::new();
    let start = || {
        if let Ok(address) = std::env::var("DOGWATCH_TEST_POSTGRES") {
            return (address, Mutex::new(None));
        }
        // Where whoever PostgreSQL runs as may go.
        let folder = tempfile::Builder::new().prefix("dogwatch-pg-").tempdir_in("/tmp").unwrap().keep();
        let folder = folder.to_str().unwrap().to_owned();
        let mut command = as_postgres(&folder);
        command.args(["-c", SERVER, "sh", &folder]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "PostgreSQL did not start: is Debian's package postgresql there?");
        let host = folder.replace('/', "%2F");
        (format!("postgres://dogwatch@{host}/postgres"), Mutex::new(Some(child)))
    };
    &STARTED.get_or_init(start).0
}

/// A database of PostgreSQL that nobody else uses: its address.
pub async fn fresh_postgres() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("w{}_{number}", std::process::id());
    let address = tokio::task::spawn_blocking(server).await.unwrap();
    let (client, connection) = tokio_postgres::connect(address, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0")).await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
    let (server, _) = address.rsplit_once('/').expect("an address that ends with the name of a database");
    format!("{server}/{name}")
}

/// The address of the database that a test means by a file: the file itself, or a database of PostgreSQL that stands for
/// it.
pub fn address_of(file: &Path) -> String {
    static KNOWN: Mutex<BTreeMap<PathBuf, String>> = Mutex::new(BTreeMap::new());
    if !is_postgres() {
        return format!("sqlite:{}", file.display());
    }
    let mut known = KNOWN.lock().unwrap();
    let make = || {
        // Whoever asks may be in the middle of a runtime.
        let thread =
            std::thread::spawn(|| tokio::runtime::Runtime::new().unwrap().block_on(fresh_postgres()));
        thread.join().unwrap()
    };
    known.entry(file.to_owned()).or_insert_with(make).clone()
}

/// Somebody else at the database: another connection to it, as long as it is kept.
pub enum Other {
    Sqlite(rusqlite::Connection),
    Postgres(tokio_postgres::Client),
}

impl Other {
    /// Another connection to a service's database.
    pub async fn at(world: &super::World) -> Self {
        match &world.postgres {
            Some(address) => {
                let (client, connection) =
                    tokio_postgres::connect(address, tokio_postgres::NoTls).await.unwrap();
                tokio::spawn(connection);
                Self::Postgres(client)
            }
            None => Self::Sqlite(rusqlite::Connection::open(world.folder.path().join("test.db")).unwrap()),
        }
    }

    /// Runs statements.
    pub async fn run(&self, statements: &str) {
        match self {
            Self::Sqlite(connection) => connection.execute_batch(statements).unwrap(),
            Self::Postgres(client) => client.batch_execute(statements).await.unwrap(),
        }
    }

    /// The first column of what a query finds, as text.
    pub async fn column(&self, query: &str) -> Vec<String> {
        let query = format!("SELECT CAST(it AS TEXT) FROM ({query}) AS found");
        match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare(&query).unwrap();
                let rows = statement.query_map([], |row| row.get(0)).unwrap();
                rows.map(Result::unwrap).collect()
            }
            Self::Postgres(client) => {
                client.query(&query, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
            }
        }
    }

    /// Begins a transaction that keeps everybody else from writing.
    pub async fn lock(&self) {
        match self {
            Self::Sqlite(_) => self.run("BEGIN IMMEDIATE").await,
            Self::Postgres(_) => {
                self.run("BEGIN; LOCK TABLE alert, event, change IN ACCESS EXCLUSIVE MODE").await
            }
        }
    }
}
