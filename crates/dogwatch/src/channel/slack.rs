//! Slack: a message of a bot to a person or a channel, with buttons, changed when how its alert stands changes.
//!
//! What came from outside is text: three characters are escaped, and nothing is made a link or a mention. Presses
//! come in through `callback/slack.rs`.

use escalation::delivery::{Outcome, Refusal};
use serde::Deserialize;
use serde_json::{Value, json};

use super::request::{exchange, refused, shown};
use super::{Channel, Sending};
use crate::message::{Message, Press, cut, plain};
use crate::outbound::Outbound;
use crate::secret::Secret;

/// The most of the text, in bytes: a section takes 3000 characters, the link among them.
const MAX_TEXT: usize = 2_500;
/// The longest headline, in bytes.
const MAX_HEADLINE: usize = 250;

/// The app of a workspace that speaks for us.
#[derive(Clone, Debug)]
pub struct App {
    /// The address of the Web API, without a slash at its end.
    pub api: String,
    /// The token of the app's bot.
    pub token: Secret,
    /// What Slack signs its requests with.
    pub signing_secret: Secret,
}

/// The channel for `slack:ID`.
pub struct Slack {
    outbound: Outbound,
    app: App,
}

/// What every method answers that writes a message.
#[derive(Deserialize)]
struct Reply {
    ok: bool,
    #[serde(default)]
    error: String,
    #[serde(default)]
    channel: String,
    #[serde(default)]
    ts: String,
}

impl Slack {
    /// A channel through this app.
    pub fn new(outbound: Outbound, app: App) -> Self {
        Self { outbound, app }
    }

    async fn call(&self, method: &str, arguments: &Value) -> Result<Reply, Outcome> {
        let url = format!("{}/{method}", self.app.api);
        let request = self.outbound.client().post(url).bearer_auth(self.app.token.reveal()).json(arguments);
        let reply: Reply = exchange(request).await?.accepted()?.read()?;
        if reply.ok { Ok(reply) } else { Err(judge(&reply.error)) }
    }

    async fn post(&self, message: &Message) -> Result<Outcome, Outcome> {
        let mut arguments = written(message);
        arguments["channel"] = json!(message.contact.address());
        let reply = self.call("chat.postMessage", &arguments).await?;
        // A message to a person lands in a channel of its own name.
        Ok(Outcome::Accepted { provider_id: format!("{}/{}", reply.channel, reply.ts) })
    }

    async fn change(&self, message: &Message, provider_id: &str) -> Result<Outcome, Outcome> {
        let (channel, ts) = provider_id.split_once('/').unwrap_or_default();
        let mut arguments = written(message);
        arguments["channel"] = json!(channel);
        arguments["ts"] = json!(ts);
        self.call("chat.update", &arguments).await?;
        Ok(Outcome::Accepted { provider_id: provider_id.to_owned() })
    }
}

impl Channel for Slack {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        Box::pin(async { self.post(message).await.unwrap_or_else(|outcome| outcome) })
    }

    fn can_amend(&self) -> bool {
        true
    }

    fn amend<'a>(&'a self, message: &'a Message, provider_id: &'a str) -> Sending<'a> {
        Box::pin(async move { self.change(message, provider_id).await.unwrap_or_else(|outcome| outcome) })
    }
}

/// What an error means: those of Slack's own making may pass, the others are for somebody to put right.
fn judge(error: &str) -> Outcome {
    let may_pass = [
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
        "ratelimited",
        "rate_limited",
        "message_limit_exceeded",
    ];
    let of_account = [
        "not_authed",
        "invalid_auth",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "missing_scope",
        "not_allowed_token_type",
        "ekm_access_denied",
        "access_denied",
        "org_login_required",
        "team_access_not_granted",
        "team_added_to_org",
    ];
    let of_message =
        ["msg_too_long", "no_text", "invalid_blocks", "invalid_arguments", "too_many_attachments"];
    let refusal = match error {
        _ if may_pass.contains(&error) => Refusal::Passing,
        _ if of_account.contains(&error) => Refusal::Account,
        _ if of_message.contains(&error) => Refusal::Message,
        _ => Refusal::Contact,
    };
    refused(format!("Slack says {}", shown(error)), refusal)
}

/// What a message says, as arguments of the methods that post and change it.
fn written(message: &Message) -> Value {
    let headline = cut(&plain(&message.headline).replace('\n', " "), MAX_HEADLINE);
    let open = message.say("Open");
    let link = message.alert_url.as_deref().map(|url| format!("\n<{}|{open}>", escape(url)));
    let link = link.unwrap_or_default();
    let section = |text: String| json!({ "type": "section", "text": { "type": "mrkdwn", "text": text, "verbatim": true } });
    let mut blocks = vec![
        json!({ "type": "header", "text": { "type": "plain_text", "text": cut(&headline, 150), "emoji": false } }),
        section(format!("{}{link}", escape_within(|most| message.body(most), MAX_TEXT))),
    ];
    let buttons: Vec<Value> = message
        .buttons
        .iter()
        .map(|button| {
            let mut element = json!({
                "type": "button",
                "action_id": button.press.word(),
                "text": { "type": "plain_text", "text": button.label, "emoji": false },
                "value": button.code,
            });
            if button.press == Press::Acknowledge {
                element["style"] = json!("primary");
            }
            element
        })
        .collect();
    if !buttons.is_empty() {
        blocks.push(json!({ "type": "actions", "elements": buttons }));
    }
    // The text is what notifications show.
    json!({ "text": escape(&headline), "blocks": blocks, "unfurl_links": false, "unfurl_media": false })
}

/// A text of at most so many bytes, also after escaping: an `&` becomes five.
fn escape_within(text: impl Fn(usize) -> String, most: usize) -> String {
    let all = escape(&text(most));
    if all.len() <= most { all } else { escape(&text(most / 5)) }
}

/// Text, as Slack's markup has it.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
