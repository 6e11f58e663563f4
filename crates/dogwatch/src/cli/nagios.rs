//! `dogwatch nagios`: the notification command of Naemon, Nagios and Icinga.
//!
//! Reads a notification from the environment or from flags and sends one event for it, however many contacts are told.
//! What can't be sent now is kept in a folder and sent later, in order. Read next: `nagios/notification.rs`.

mod notification;
mod spool;
mod write_back;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use serde_json::Value;

use super::client::{Server, segment};
use crate::clock::{Clock, SystemClock, chance};
use notification::{Comes, Notification};
use spool::Spool;

/// How long the server has to answer.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);
/// Neither sent nor kept.
const LOST: u8 = 3;

/// Send a notification of Naemon, Nagios or Icinga.
///
/// Run as a notification command. With enable_environment_macros=1 no flag is needed; a flag comes before the
/// environment, and what follows it is its value, whatever it begins with. The short flags are those of Icinga 2's
/// own notification scripts. Ends with 0 when the event is stored by the server, or kept to be sent later; with 1
/// when it will never be taken; with 3 when it could neither be sent nor kept.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  DOGWATCH_KEY=w3k8… dogwatch nagios
  dogwatch nagios --type PROBLEM --host db1 --service disk --state CRITICAL --output '97 %'
  dogwatch nagios --flush
  dogwatch nagios --write-back /var/lib/nagios4/rw/nagios.cmd --integration naemon")]
pub(super) struct Nagios {
    /// $NOTIFICATIONTYPE$
    #[arg(long = "type", short = 't', value_name = "TYPE", allow_hyphen_values = true)]
    kind: Option<String>,
    /// $HOSTNAME$
    #[arg(long, short = 'l', allow_hyphen_values = true)]
    host: Option<String>,
    /// $SERVICEDESC$
    #[arg(long, short = 'e', allow_hyphen_values = true)]
    service: Option<String>,
    /// $HOSTSTATE$ or $SERVICESTATE$
    #[arg(long, short = 's', allow_hyphen_values = true)]
    state: Option<String>,
    /// $HOSTOUTPUT$ or $SERVICEOUTPUT$
    #[arg(long, short = 'o', allow_hyphen_values = true)]
    output: Option<String>,
    /// $NOTIFICATIONAUTHOR$
    #[arg(long, short = 'b', allow_hyphen_values = true)]
    author: Option<String>,
    /// $NOTIFICATIONCOMMENT$
    #[arg(long, short = 'c', allow_hyphen_values = true)]
    comment: Option<String>,
    /// $HOSTADDRESS$
    #[arg(long, short = '4', allow_hyphen_values = true)]
    address: Option<String>,
    /// $HOSTPROBLEMID$ or $SERVICEPROBLEMID$
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    problem: Option<String>,
    /// $LASTHOSTPROBLEMID$ or $LASTSERVICEPROBLEMID$
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    last_problem: Option<String>,
    /// $HOSTNOTIFICATIONID$ or $SERVICENOTIFICATIONID$
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    notification_id: Option<String>,
    /// Where to look
    #[arg(long, short = 'i', allow_hyphen_values = true)]
    link: Option<String>,
    /// The address of version 6
    #[arg(short = '6', hide = true, allow_hyphen_values = true)]
    _address6: Option<String>,
    #[arg(short = 'd', hide = true, allow_hyphen_values = true)]
    _date: Option<String>,
    #[arg(short = 'n', hide = true, allow_hyphen_values = true)]
    _host_display_name: Option<String>,
    #[arg(short = 'u', hide = true, allow_hyphen_values = true)]
    _service_display_name: Option<String>,
    #[arg(short = 'r', hide = true, allow_hyphen_values = true)]
    _recipient: Option<String>,
    #[arg(short = 'f', hide = true, allow_hyphen_values = true)]
    _from: Option<String>,
    #[arg(short = 'v', hide = true, allow_hyphen_values = true)]
    _verbose: Option<String>,
    /// The integration's key
    #[arg(long, env = "DOGWATCH_KEY", hide_env_values = true)]
    key: Option<String>,
    /// A file with the integration's key
    #[arg(long, env = "DOGWATCH_KEY_FILE", value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Where events are kept that can't be sent now
    #[arg(long, env = "DOGWATCH_SPOOL", value_name = "FOLDER", default_value = "/var/spool/dogwatch")]
    spool: PathBuf,
    /// Send what waits in the spool, and nothing new
    #[arg(long)]
    flush: bool,
    /// Write acknowledgements of Dogwatch into this external command file, and send nothing; run it every minute
    #[arg(long, value_name = "COMMAND_FILE", requires = "integration")]
    write_back: Option<PathBuf>,
    /// Whose acknowledgements
    #[arg(long, value_name = "NAME")]
    integration: Option<String>,
    #[command(flatten)]
    server: Server,
}

/// What came of sending an event.
enum Sent {
    Taken,
    /// It would be refused again, because of this.
    Refused(String),
    /// It may be taken later. Why it was not.
    Later(String),
}

impl Nagios {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let now = SystemClock.now();
        let spool = Spool::new(self.spool.clone());
        if let Some(file) = &self.write_back {
            let integration = self.integration.clone().unwrap_or_default();
            let seen = self.spool.join(format!("acknowledged-{}", segment(&integration)));
            write_back::run(&self.server, &integration, file, &seen, now).await?;
            return Ok(ExitCode::SUCCESS);
        }
        let key = self.read_key()?;
        if self.flush {
            return self.flush(&spool, &key).await;
        }
        let notification = self.notification();
        let event = match notification.event().map_err(anyhow::Error::msg)? {
            Comes::Event(event) => event,
            Comes::Nothing(why) => {
                println!("{why}");
                return Ok(ExitCode::SUCCESS);
            }
        };
        let once = notification.once();
        if once.as_ref().is_some_and(|once| !spool.is_new(once, now)) {
            println!("this notification was sent for another contact already");
            return Ok(ExitCode::SUCCESS);
        }
        let code = self.send_or_keep(&spool, &key, &event).await;
        if let (Err(_) | Ok(Outcome::Lost), Some(once)) = (&code, &once) {
            spool.unmark(once);
        }
        code.map(Outcome::code)
    }

    fn read_key(&self) -> anyhow::Result<String> {
        match (&self.key, &self.key_file) {
            (Some(key), _) if !key.trim().is_empty() => Ok(key.trim().to_owned()),
            (_, Some(path)) => {
                let key = std::fs::read_to_string(path);
                Ok(key
                    .with_context(|| format!("can't read the key in {}", path.display()))?
                    .trim()
                    .to_owned())
            }
            (_, None) => anyhow::bail!(
                "no key: set DOGWATCH_KEY or DOGWATCH_KEY_FILE to the one that `dogwatch integration create` printed"
            ),
        }
    }

    fn notification(&self) -> Notification {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let flags = Notification {
            kind: text(&self.kind),
            host: text(&self.host),
            service: text(&self.service),
            state: text(&self.state),
            output: text(&self.output),
            author: text(&self.author),
            comment: text(&self.comment),
            address: text(&self.address),
            problem: text(&self.problem),
            last_problem: text(&self.last_problem),
            id: text(&self.notification_id),
            url: text(&self.link),
            ..Notification::default()
        };
        // A host that is named by a flag is not the service of the environment.
        let find = |name: &str| std::env::var(name).ok();
        if flags.host.is_empty() { flags.or(Notification::from_environment(&find)) } else { flags }
    }

    /// Sends an event after all that wait, or keeps it.
    async fn send_or_keep(&self, spool: &Spool, key: &str, event: &Value) -> anyhow::Result<Outcome> {
        if spool.waiting().is_empty() {
            match self.send(key, event).await? {
                Sent::Taken => return Ok(Outcome::Done),
                Sent::Refused(why) => {
                    eprintln!("error: {why}");
                    return Ok(Outcome::Refused);
                }
                Sent::Later(why) => eprintln!("{why}; it is kept, and sent later"),
            }
            return Ok(keep(spool, event));
        }
        // Others wait: whatever came first goes first.
        let kept = keep(spool, event);
        if matches!(kept, Outcome::Done) {
            self.flush(spool, key).await?;
            return Ok(kept);
        }
        // There is no room to keep it: better out of turn than never.
        Ok(match self.send(key, event).await? {
            Sent::Taken => Outcome::Done,
            Sent::Refused(_) => Outcome::Refused,
            Sent::Later(_) => Outcome::Lost,
        })
    }

    /// Sends what waits, oldest first, until one has to wait on.
    async fn flush(&self, spool: &Spool, key: &str) -> anyhow::Result<ExitCode> {
        if spool.waiting().is_empty() {
            return Ok(ExitCode::SUCCESS);
        }
        // Somebody else is at it, and takes ours with him, or the next one does.
        let Some(_turn) = spool.turn()? else { return Ok(ExitCode::SUCCESS) };
        for path in spool.waiting() {
            let Some(event) = spool.read(&path) else { continue };
            match self.send(key, &event).await? {
                Sent::Taken => spool.forget(&path),
                Sent::Refused(why) => {
                    eprintln!("error: {}: {why}", path.display());
                    spool.put_aside(&path);
                }
                Sent::Later(why) => {
                    eprintln!("{why}; {} events wait", spool.waiting().len());
                    break;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn send(&self, key: &str, event: &Value) -> anyhow::Result<Sent> {
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let url = format!("{}/integrations/v1/nagios/{}/", self.server.address(), segment(key));
        let answer = match client.post(url).json(event).send().await {
            Ok(answer) => answer,
            // The address has the key in it.
            Err(error) => {
                return Ok(Sent::Later(format!(
                    "can't reach {}: {}",
                    self.server.address(),
                    error.without_url()
                )));
            }
        };
        let status = answer.status().as_u16();
        if (200..300).contains(&status) {
            return Ok(Sent::Taken);
        }
        let body: Value = answer.json().await.unwrap_or_default();
        let detail = body["detail"].as_str().unwrap_or("and said nothing more");
        let told = format!("the server answered {status}: {detail}");
        // A key may be wrong for a while; a message that can't be read always is.
        let is_final = matches!(status, 400 | 404 | 413 | 422);
        Ok(if is_final { Sent::Refused(told) } else { Sent::Later(told) })
    }
}

/// What came of a notification.
enum Outcome {
    Done,
    Refused,
    Lost,
}

impl Outcome {
    fn code(self) -> ExitCode {
        match self {
            Self::Done => ExitCode::SUCCESS,
            Self::Refused => ExitCode::FAILURE,
            Self::Lost => ExitCode::from(LOST),
        }
    }
}

fn keep(spool: &Spool, event: &Value) -> Outcome {
    match spool.keep(event, SystemClock.now(), chance()) {
        Ok(_) => Outcome::Done,
        Err(error) => {
            eprintln!("error: {error:#}");
            Outcome::Lost
        }
    }
}
