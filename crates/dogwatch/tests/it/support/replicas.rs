//! Two PostgreSQL of our own on loopback ports, the second a synchronous standby of the first: for failover by hand.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

/// Starts both in the folder `$1` on the ports `$2` and `$3`, says "ready", and stops what is left of them when its input
/// ends; the line "promote" before that makes the second one the primary.
const SERVERS: &str = r#"
set -e
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
start() {
  name=$1 port=$2
  shift 2
  "$bin/postgres" -D "$dir/$name" -p "$port" -k "$dir" -h 127.0.0.1 -c max_connections=100 -c shared_buffers=32MB "$@" \
    >"$dir/$name.log" 2>&1 </dev/null &
  until "$bin/pg_isready" -q -h "$dir" -p "$port"; do kill -0 $!; sleep 0.1; done
}
dir=$1
"$bin/initdb" -D "$dir/one" -U dogwatch --auth=trust --no-sync -E UTF8 --locale=C >/dev/null
start one "$2" -c synchronous_standby_names='*' -c synchronous_commit=local
"$bin/pg_basebackup" -D "$dir/two" -h "$dir" -p "$2" -U dogwatch -R --no-sync -c fast
start two "$3"
until [ "$("$bin/psql" -h "$dir" -p "$2" -U dogwatch -XAtc \
  "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'" postgres)" = 1 ]; do sleep 0.1; done
"$bin/psql" -h "$dir" -p "$2" -U dogwatch -Xqc "ALTER DATABASE postgres SET synchronous_commit = on" postgres
echo ready
while read -r word; do
  [ "$word" = promote ] && "$bin/pg_ctl" -D "$dir/two" -w promote >/dev/null && echo promoted
done
for name in one two; do
  pid=$(head -1 "$dir/$name/postmaster.pid" 2>/dev/null) || continue
  kill -CONT "$pid" 2>/dev/null || true
  kill -INT "$pid" 2>/dev/null || true
done
wait || true
rm -rf "$dir"
"#;

/// The two servers; they stop when nobody needs them any more.
pub struct Replicas {
    folder: String,
    child: Child,
    said: BufReader<std::process::ChildStdout>,
    /// Both, whichever takes writes.
    pub address: String,
    frozen: Vec<String>,
}

impl Replicas {
    pub fn start() -> Self {
        // Where whoever PostgreSQL runs as may go.
        let folder = tempfile::Builder::new().prefix("dogwatch-pg-").tempdir_in("/tmp").unwrap().keep();
        let folder = folder.to_str().unwrap().to_owned();
        let ports: Vec<String> = free_ports().iter().map(u16::to_string).collect();
        let mut child = super::database::as_postgres(&folder)
            .args(["-c", SERVERS, "sh", &folder, &ports[0], &ports[1]])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "the servers did not start: is Debian's package postgresql there?");
        let address = format!(
            "postgres://dogwatch@127.0.0.1:{},127.0.0.1:{}/postgres?target_session_attrs=read-write",
            ports[0], ports[1]
        );
        Self { folder, child, said, address, frozen: Vec::new() }
    }

    /// Every process of the first server.
    fn first(&self) -> Vec<String> {
        let pid = std::fs::read_to_string(format!("{}/one/postmaster.pid", self.folder)).unwrap();
        let pid = pid.lines().next().unwrap().to_owned();
        let children = Command::new("ps").args(["-o", "pid=", "--ppid", &pid]).output().unwrap().stdout;
        let children = String::from_utf8(children).unwrap();
        std::iter::once(pid).chain(children.split_whitespace().map(str::to_owned)).collect()
    }

    /// kill -9 of the whole first server.
    pub fn kill_first(&self) {
        signal("-KILL", &self.first());
    }

    /// The first server stands still, with its connections open.
    pub fn freeze_first(&mut self) {
        // Who makes the others first: one that came up between the look and the signal would go on, and answer questions
        // as if its server were still the primary.
        signal("-STOP", &self.first()[..1]);
        self.frozen = self.first();
        signal("-STOP", &self.frozen);
    }

    /// The second one takes its place.
    pub fn promote_second(&mut self) {
        use std::io::Write;
        self.child.stdin.as_mut().unwrap().write_all(b"promote\n").unwrap();
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        assert_eq!(line, "promoted\n");
    }
}

fn signal(which: &str, pids: &[String]) {
    // Some may have ended meanwhile.
    let _ = Command::new("kill").arg(which).args(pids).stderr(Stdio::null()).status().unwrap();
}

impl Drop for Replicas {
    fn drop(&mut self) {
        if !self.frozen.is_empty() {
            signal("-CONT", &self.frozen);
        }
        drop(self.child.stdin.take());
        let _ = self.said.read_to_string(&mut String::new());
        let _ = self.child.wait();
    }
}

/// Two ports that nobody uses now.
pub fn free_ports() -> [u16; 2] {
    let bind = || std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (one, other) = (bind(), bind());
    [one.local_addr().unwrap().port(), other.local_addr().unwrap().port()]
}
