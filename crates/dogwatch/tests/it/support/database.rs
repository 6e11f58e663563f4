//! Which database the tests run over: SQLite, or with `DOGWATCH_TEST_STORE=postgres` PostgreSQL.
//!
//! A PostgreSQL of our own is started once, from Debian's package, without a port, and stops with the tests;
//! `DOGWATCH_TEST_POSTGRES` names another one, such as `host=/run/postgresql user=me dbname=postgres`. Each service
//! under test gets a database of its own.

use std::io::{BufRead, BufReader};
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
  -c max_connections=400 -c shared_buffers=64MB >"$1/log" 2>&1 </dev/null &
until "$bin/pg_isready" -q -h "$1"; do kill -0 $!; sleep 0.1; done
echo ready
cat >/dev/null
kill -INT $!
wait $! || true
rm -rf "$1"
"#;

/// The address of the server that makes databases.
fn server() -> &'static str {
    static STARTED: OnceLock<(String, Mutex<Option<Child>>)> = OnceLock::new();
    let start = || {
        if let Ok(address) = std::env::var("DOGWATCH_TEST_POSTGRES") {
            return (address, Mutex::new(None));
        }
        let folder = tempfile::Builder::new().prefix("dogwatch-pg-").tempdir().unwrap().keep();
        let folder = folder.to_str().unwrap().to_owned();
        // PostgreSQL refuses to run as root.
        let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
        let mut command = Command::new(if is_root { "runuser" } else { "sh" });
        if is_root {
            assert!(Command::new("chown").args(["postgres", &folder]).status().unwrap().success());
            command.args(["-u", "postgres", "--", "sh"]);
        }
        command.args(["-c", SERVER, "sh", &folder]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "PostgreSQL did not start: is Debian's package postgresql there?");
        (format!("host={folder} user=dogwatch dbname=postgres"), Mutex::new(Some(child)))
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
    address.replace("dbname=postgres", &format!("dbname={name}"))
}
