//! The real program as a process: started, asked, killed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::database::address_of;
use super::{answer, set_up_tls};

/// The token that processes under test are given.
pub const TOKEN: &str = "process-0123456789abcdefghijklm";

/// A running `dogwatch`; it is killed when nobody needs it any more.
pub struct Process {
    child: Child,
    pub url: String,
}

impl Process {
    /// Starts `dogwatch serve` and waits until it says that it listens. Over the file, or, where the tests run over
    /// PostgreSQL, over the database that stands for it.
    pub fn serve(database: &Path, environment: &[(&str, &str)]) -> Self {
        Self::serve_on(&address_of(database), environment)
    }

    /// The same over any database.
    pub fn serve_on(database: &str, environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dogwatch"));
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--database", database])
            .env("DOGWATCH_ADMIN_TOKEN", TOKEN)
            .envs(environment.iter().copied());
        Self::start(command)
    }

    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines
            .by_ref()
            .map(Result::unwrap)
            .find_map(|line| line.strip_prefix("listening on ").map(str::to_owned));
        let url = url.expect("the program ended before it listened");
        // Whatever else it prints is read, so that it never waits for us.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url }
    }

    /// kill -9.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for it to end by itself.
    pub fn wait(mut self) -> std::process::ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// For requests to real processes.
pub fn client() -> reqwest::Client {
    set_up_tls();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// Sends a request that is to succeed.
pub async fn send(client: &reqwest::Client, method: &str, url: &str, body: Value) -> Value {
    let sent =
        answer(client.request(method.parse().unwrap(), url).bearer_auth(TOKEN).body(body.to_string())).await;
    assert!((200..300).contains(&sent.status), "{method} {url}: {}", sent.text);
    sent.body
}

/// Asks until it is so. Real processes have real clocks; nothing here depends on how long it takes.
pub async fn until<F: Future<Output = bool>>(mut so: impl FnMut() -> F) {
    for _ in 0..3_000 {
        if so().await {
            return;
        }
        let _ =
            tokio::time::timeout(std::time::Duration::from_millis(10), std::future::pending::<()>()).await;
    }
    panic!("it never came to be");
}

/// Runs a command of the program: whether it went well, and all that it said.
pub fn dogwatch(url: &str, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_dogwatch"))
        .args(arguments)
        .env("DOGWATCH_URL", url)
        .env("DOGWATCH_TOKEN", TOKEN)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}
