//! Mail, through one SMTP server: STARTTLS, implicit TLS, or plain to a server on this machine.
//!
//! Plain text and HTML say the same. What came from outside is text in both: the library encodes headers,
//! the template escapes HTML, and control characters are gone before either sees them.

use std::sync::Mutex;

use askama::Template;
use escalation::delivery::{Outcome, Purpose, Refusal};
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::AsyncSmtpTransportBuilder;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::response::Response;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use super::providers::{Carried, Carrying, Provider};
use super::{Channel, Sending};
use crate::clock::lock;
use crate::message::Message;

/// The longest subject, in characters.
const MAX_SUBJECT: usize = 200;

/// How to talk to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Begin plain, and go on only if TLS can be started.
    StartTls,
    /// TLS from the first byte.
    Implicit,
    /// No TLS.
    None,
}

/// The server that carries our mail.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How to talk to it.
    pub security: Security,
    /// User name and password, if it wants them.
    pub credentials: Option<(String, crate::secret::Secret)>,
    /// The sender of our mail.
    pub from: Mailbox,
    /// More certificates to trust, as PEM.
    pub ca: Option<Vec<u8>>,
}

/// Connections to the server, which are used again and again.
type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// The channel for `email:ADDRESS`.
pub struct Email {
    transport: Mutex<Transport>,
    make: AsyncSmtpTransportBuilder,
    from: Mailbox,
}

/// A mail on its way. Where it is given up, its connection is in the middle of something: what the server says there
/// next would be taken for its answer to another mail. So all connections are left, and new ones made.
struct UnderWay<'a> {
    email: &'a Email,
    is_answered: bool,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if !self.is_answered {
            *lock(&self.email.transport) = self.email.make.clone().build();
        }
    }
}

impl Email {
    /// A channel through `server`. Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// When the TLS settings can't be used.
    pub fn new(server: &Server) -> anyhow::Result<Self> {
        let mut tls = TlsParameters::builder(server.host.clone());
        if let Some(pem) = &server.ca {
            tls = tls.add_root_certificate(lettre::transport::smtp::client::Certificate::from_pem(pem)?);
        }
        let tls = match server.security {
            Security::StartTls => Tls::Required(tls.build()?),
            Security::Implicit => Tls::Wrapper(tls.build()?),
            Security::None => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host)
            .port(server.port)
            .tls(tls)
            .timeout(Some(std::time::Duration::from_secs(9)));
        if let Some((user, password)) = &server.credentials {
            builder = builder.credentials(Credentials::new(user.clone(), password.reveal().to_owned()));
        }
        let transport = Mutex::new(builder.clone().build());
        Ok(Self { transport, make: builder, from: server.from.clone() })
    }

    async fn send_mail(&self, mail: lettre::Message) -> Result<Response, lettre::transport::smtp::Error> {
        let transport = lock(&self.transport).clone();
        let mut under_way = UnderWay { email: self, is_answered: false };
        let sent = transport.send(mail).await;
        under_way.is_answered = true;
        sent
    }

    async fn mail(&self, message: &Message) -> Outcome {
        let mail = match write(message, &self.from) {
            Ok(mail) => mail,
            Err(error) => {
                return Outcome::Refused {
                    why: format!("the mail can't be written: {error}"),
                    refusal: Refusal::Message,
                };
            }
        };
        match self.send_mail(mail).await {
            Ok(answer) => Outcome::Accepted { provider_id: words(&answer) },
            Err(error) => judge(&error),
        }
    }
}

/// Our credentials: to be given, too weak, wrong, given without encryption (RFC 4954).
const OF_CREDENTIALS: [u16; 4] = [530, 534, 535, 538];

/// As one of several that carry mail: what concerns one mailbox, or one mail, says nothing of the others.
impl Provider for Email {
    fn carry<'a>(&'a self, message: &'a Message) -> Carrying<'a> {
        Box::pin(async {
            let mail = match write(message, &self.from) {
                Ok(mail) => mail,
                Err(error) => {
                    let why = format!("the mail can't be written: {error}");
                    return Carried::Refused { why, refusal: Refusal::Message };
                }
            };
            match self.send_mail(mail).await {
                Ok(answer) => Carried::Taken(words(&answer)),
                Err(error) => {
                    let code = error.status().map(u16::from);
                    match judge(&error) {
                        Outcome::Refused { why, .. }
                            if code.is_some_and(|code| OF_CREDENTIALS.contains(&code)) =>
                        {
                            Carried::Account(why)
                        }
                        // 421: it is about to stop. Any other passing refusal is about this mail.
                        Outcome::Refused { why, refusal: Refusal::Passing }
                            if error.is_transient() && code != Some(421) =>
                        {
                            Carried::Refused { why, refusal: Refusal::Passing }
                        }
                        outcome => Carried::of(outcome),
                    }
                }
            }
        })
    }
}

/// What the server said when it took a mail.
fn words(answer: &Response) -> String {
    let words: Vec<_> = answer.message().collect();
    words.join(" ").chars().take(200).collect()
}

/// What an error of the transport means. Before the server has answered at all nothing was sent; a
/// connection that is lost later leaves it open whether the mail was taken.
fn judge(error: &lettre::transport::smtp::Error) -> Outcome {
    let why: String = chain(error).chars().filter(|letter| !letter.is_control()).take(300).collect();
    if error.is_permanent() {
        Outcome::Refused { refusal: blame(error.status().map(u16::from), &why), why }
    } else if error.is_timeout() {
        Outcome::Unknown { why }
    } else if error.is_transient() || error.is_client() || error.is_tls() || is_connecting(error) {
        Outcome::Refused { why, refusal: Refusal::Passing }
    } else {
        Outcome::Unknown { why }
    }
}

/// Whose matter a permanent refusal is, by its code and by the finer one of RFC 3463 that may stand in its words.
fn blame(code: Option<u16>, words: &str) -> Refusal {
    let finer = words.split([' ', '-', '(', ')', ':', ';']).find(|word| {
        let mut parts = word.split('.');
        parts.next() == Some("5")
            && parts.clone().count() == 2
            && parts.all(|part| part.parse::<u16>().is_ok())
    });
    match (code, finer) {
        (Some(code), _) if OF_CREDENTIALS.contains(&code) => Refusal::Account,
        // Our address as the sender is what it does not like: 5.1.7, 5.1.8.
        (_, Some("5.1.7" | "5.1.8")) => Refusal::Account,
        // Policy: a list that we are on, no right to send to others.
        (_, Some(finer)) if finer.starts_with("5.7.") => Refusal::Account,
        // The mailbox: full, closed, of somebody who takes no such mail.
        (_, Some(finer)) if finer.starts_with("5.2.") => Refusal::Contact,
        // The mail itself: too long for it, or not to its liking.
        (Some(552), _) => Refusal::Message,
        (_, Some(finer)) if finer.starts_with("5.3.4") || finer.starts_with("5.6.") => Refusal::Message,
        // "Transaction failed" without another word is what block lists say.
        (Some(554), None) => Refusal::Account,
        _ => Refusal::Contact,
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let more = next.to_string();
        if !words.contains(&more) {
            words = format!("{words}: {more}");
        }
        cause = next.source();
    }
    words
}

/// Whether it went wrong while connecting: then nothing was sent. The library keeps this kind private,
/// and says it in words only.
fn is_connecting(error: &lettre::transport::smtp::Error) -> bool {
    use std::error::Error;
    let refused =
        error.source().and_then(|cause| cause.downcast_ref::<std::io::Error>()).is_some_and(|cause| {
            use std::io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable};
            matches!(cause.kind(), ConnectionRefused | HostUnreachable | NetworkUnreachable)
        });
    refused || error.to_string().to_lowercase().starts_with("connection error")
}

impl Channel for Email {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        Box::pin(self.mail(message))
    }
}

/// Tells vacation programs and mailing lists to leave this mail alone (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

#[derive(Template)]
#[template(path = "mail.html")]
struct Html<'a> {
    headline: &'a str,
    lines: &'a [String],
    details: &'a str,
    answer_url: Option<&'a str>,
    alert_url: Option<&'a str>,
    /// What stands on the button, and on the link to the alert.
    button: String,
    timeline: String,
}

#[derive(Template)]
#[template(path = "mail.txt", escape = "none")]
struct Text<'a> {
    headline: &'a str,
    lines: &'a [String],
    details: &'a str,
    answer_url: Option<&'a str>,
    alert_url: Option<&'a str>,
    /// What stands before the address to answer at, and before that of the alert.
    have: String,
    timeline: String,
}

/// What a mail says, whatever carries it.
pub(crate) struct Written {
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

/// Writes what a mail says. Control characters are gone, and what came from outside is text.
pub(crate) fn written(message: &Message) -> Result<Written, askama::Error> {
    let clean = |text: &str, keep: fn(char) -> bool| -> String {
        text.chars().filter(|letter| !letter.is_control() || keep(*letter)).collect()
    };
    let headline = clean(&message.headline, |_| false);
    let details = clean(&message.details, |letter| matches!(letter, '\n' | '\t'));
    let subject: String = headline.chars().take(MAX_SUBJECT).collect();
    let is_one = message.others.is_empty();
    let timeline = message.say("The alert and its timeline");
    let text = Text {
        headline: &headline,
        lines: &message.lines,
        details: &details,
        answer_url: message.answer_url.as_deref(),
        alert_url: message.alert_url.as_deref(),
        have: message.say(if is_one { "I have it:" } else { "I have them:" }),
        timeline: timeline.clone(),
    };
    let button = match message.purpose {
        Purpose::Page if is_one => "I have it …",
        Purpose::Page => "I have them …",
        _ => "Open",
    };
    let html = Html {
        headline: &headline,
        lines: &message.lines,
        details: &details,
        answer_url: message.answer_url.as_deref(),
        alert_url: message.alert_url.as_deref(),
        button: message.say(button),
        timeline,
    };
    Ok(Written { subject, text: text.render()?, html: html.render()? })
}

/// What mail about the same alert has in common, so that it makes one thread, under a message that need not exist.
pub(super) fn thread(message: &Message, domain: &str) -> Option<String> {
    let alert = message.subject.as_ref().filter(|_| message.others.is_empty())?;
    Some(format!("<{}@{domain}>", alert.id))
}

/// Writes the mail.
fn write(message: &Message, from: &Mailbox) -> anyhow::Result<lettre::Message> {
    let written = written(message)?;
    let to = Mailbox::new(None, message.contact.address().parse()?);
    let domain = from.email.domain().to_owned();
    let mut mail = lettre::Message::builder()
        .from(from.clone())
        .to(to)
        .subject(written.subject)
        .date(std::time::SystemTime::from(message.sent_at))
        // The same for every try of a delivery: a mail program shows it once.
        .message_id(Some(format!("<{}@{domain}>", message.delivery)))
        .header(AutoSubmitted);
    if let Some(thread) = thread(message, &domain) {
        mail = mail.references(thread);
    }
    Ok(mail.multipart(MultiPart::alternative_plain_html(written.text, written.html))?)
}
