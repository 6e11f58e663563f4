//! Behind PgBouncer, the real one: with sessions lent for a transaction Dogwatch does not start and says why; with
//! sessions of its own it works.

use std::process::{Child, Command, Stdio};

use serde_json::json;

use crate::support::database::{as_postgres, fresh_postgres};
use crate::support::process::{Process, TOKEN, client, send, until};
use crate::support::replicas::free_ports;

/// Runs it over the settings in the folder `$1` until its input ends: when the test does.
const BOUNCER: &str = r#"
PATH=$PATH:/usr/sbin
pgbouncer -q "$1/bouncer.ini" >"$1/log" 2>&1 </dev/null &
cat >/dev/null
kill -TERM $!
wait $! || true
rm -rf "$1"
"#;

/// PgBouncer before a database; it stops when nobody needs it any more.
struct Bouncer {
    child: Child,
    address: String,
}

impl Bouncer {
    async fn before(address: &str, mode: &str) -> Self {
        let rest = address.strip_prefix("postgres://dogwatch@").expect("a server of our own");
        let (socket, name) = rest.rsplit_once('/').unwrap();
        let folder = tempfile::Builder::new().prefix("dogwatch-bouncer-").tempdir_in("/tmp").unwrap().keep();
        let folder = folder.to_str().unwrap().to_owned();
        let [port, _] = free_ports();
        // Whoever is let in, in this mode, comes as the user that is named here.
        let settings = format!(
            "[databases]\n* = user=dogwatch host={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = any\npool_mode = {mode}\nmax_client_conn = 100\ndefault_pool_size = 20\n\
             ignore_startup_parameters = extra_float_digits\n",
            socket.replace("%2F", "/"),
        );
        std::fs::write(format!("{folder}/bouncer.ini"), settings).unwrap();
        let child =
            as_postgres(&folder).args(["-c", BOUNCER, "sh", &folder]).stdin(Stdio::piped()).spawn().unwrap();
        let bouncer =
            Self { child, address: format!("postgres://dogwatch@127.0.0.1:{port}/{name}?sslmode=disable") };
        until(|| async { tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() }).await;
        bouncer
    }
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn behind_a_pooler_that_lends_sessions_for_a_transaction_it_does_not_start_and_says_why() {
    let address = fresh_postgres().await;
    let bouncer = Bouncer::before(&address, "transaction").await;
    // A node that is there already, without the pooler, changes nothing about it.
    let _direct = Process::serve_on(&address, &[]);
    // If it did start, it would never end by itself.
    let mut command = Command::new("timeout");
    command.args(["60", env!("CARGO_BIN_EXE_dogwatch"), "serve", "--listen", "127.0.0.1:0", "--database"]);
    command.arg(&bouncer.address).env("DOGWATCH_ADMIN_TOKEN", TOKEN);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains("pool_mode = transaction"), "{told}");
}

#[tokio::test]
async fn behind_a_pooler_that_gives_sessions_away_for_good_it_works() {
    let address = fresh_postgres().await;
    let bouncer = Bouncer::before(&address, "session").await;
    let node = Process::serve_on(&bouncer.address, &[]);
    let client = client();
    let john = json!({ "name": "john", "full_name": "John", "contacts": ["handset:john"] });
    send(&client, "POST", &format!("{}/api/v1/people", node.url), john).await;
    let raised =
        send(&client, "POST", &format!("{}/api/v1/people/john/notify", node.url), json!({ "summary": "x" }))
            .await;
    assert_eq!(raised["number"], 1);
}
