//! The connection to the database, encrypted: a real server with certificates of our own.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use super::moving::refused;
use crate::support::database::as_postgres;
use crate::support::process::Process;

/// Starts a server in the folder `$1` on the port `$2`, with a certificate for the name `localhost`, and stops it when its
/// input ends. Beside it: `ca.pem`, who signed that, and `other.pem`, who did not.
const SERVER: &str = r#"
set -e
cd "$1"
for who in ca other; do
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$who" \
    -addext basicConstraints=critical,CA:TRUE -keyout "$who.key" -out "$who.pem"
done
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -keyout server.key -out server.csr
printf 'subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n' >server.ext
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile server.ext -out server.pem
chmod 600 server.key
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
"$bin/initdb" -D data -U dogwatch --auth=trust --no-sync -E UTF8 --locale=C >/dev/null
"$bin/postgres" -D data -k "$1" -h localhost -p "$2" -c ssl="$3" -c ssl_cert_file="$1/server.pem" \
  -c ssl_key_file="$1/server.key" -c fsync=off >log 2>&1 </dev/null &
until "$bin/pg_isready" -q -h "$1" -p "$2"; do kill -0 $!; sleep 0.1; done
echo ready
cat >/dev/null
kill -INT $!
wait $! || true
"#;

struct Server {
    child: Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl Server {
    fn start(ssl: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("dogwatch-tls-").tempdir_in("/tmp").unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let path = folder.path().to_str().unwrap();
        let mut command = as_postgres(path);
        command.args(["-c", SERVER, "sh", path, &port.to_string(), ssl]);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "is Debian's package postgresql there, and openssl?");
        // Who signed is known to everybody.
        let readable = Command::new("chmod").args(["-R", "go+rX", path]).status().unwrap();
        assert!(readable.success());
        Self { child, folder, port }
    }

    fn address(&self, host: &str, rest: &str) -> String {
        format!("postgres://dogwatch@{host}:{}/postgres{rest}", self.port)
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Whether the connections of the services at this server are encrypted.
    async fn are_encrypted(&self) -> Vec<bool> {
        let host = self.folder.path().to_str().unwrap().replace('/', "%2F");
        let address = format!("postgres://dogwatch@{host}:{}/postgres", self.port);
        let (client, connection) = tokio_postgres::connect(&address, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        let question = "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
             WHERE application_name = 'dogwatch'";
        client.query(question, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.stdout.take().map(|mut said| said.read_to_string(&mut String::new()));
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_is_spoken_to_encrypted_and_where_that_is_required_only_to_whom_is_trusted() {
    let server = Server::start("on");
    // Encrypted where the server can, by whatever certificate it has.
    let process = Process::serve_on(&server.address("localhost", ""), &[]);
    let encrypted = server.are_encrypted().await;
    assert!(encrypted.len() > 2 && encrypted.iter().all(|it| *it), "{encrypted:?}");
    process.kill();
    let plain = Process::serve_on(&server.address("localhost", "?sslmode=disable"), &[]);
    assert!(server.are_encrypted().await.contains(&false));
    plain.kill();

    let with = |file: &str| format!("?sslmode=require&sslrootcert={}", server.file(file));
    Process::serve_on(&server.address("localhost", &with("ca.pem")), &[]).kill();
    // Nobody whom this machine trusts has signed it; nor has the other; nor is it for this name.
    for (address, why) in [
        (server.address("localhost", "?sslmode=require"), "UnknownIssuer"),
        (server.address("localhost", &with("other.pem")), "UnknownIssuer"),
        (server.address("127.0.0.1", &with("ca.pem")), "not valid for name"),
    ] {
        let said = refused(&address);
        assert!(said.contains("can't connect to the database") && said.contains(why), "{address}: {said}");
    }
    let said = refused(&server.address("localhost", &with("no.pem")));
    assert!(said.contains("sslrootcert: can't read certificates from"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_encryption_is_spoken_to_unless_it_is_required() {
    let server = Server::start("off");
    Process::serve_on(&server.address("localhost", ""), &[]).kill();
    let said = refused(&server.address("localhost", "?sslmode=require"));
    assert!(said.contains("does not support TLS"), "{said}");
}
