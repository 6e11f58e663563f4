//! Speaking to a server: address and token from flags or the environment, errors in the server's words.

use anyhow::{Context, bail};
use clap::Args;
use serde_json::Value;

/// Which server, and who we are.
#[derive(Debug, Args)]
pub(super) struct Server {
    /// The server
    #[arg(long, env = "DOGWATCH_URL", value_name = "URL", default_value = "http://127.0.0.1:8420")]
    url: String,
    /// The token
    #[arg(long, env = "DOGWATCH_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Print the server's answer as JSON
    #[arg(long)]
    json: bool,
}

/// What the server said.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Server {
    /// Whether programs read our output.
    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// The server's address, without a slash at its end.
    pub(super) fn address(&self) -> &str {
        self.url.trim_end_matches('/')
    }

    /// Sends a request. Any answer is an `Ok`; see [`Self::expect`].
    pub(super) async fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> anyhow::Result<Answer> {
        let token = self.token.as_deref().context(
            "no token: set DOGWATCH_TOKEN to the one that `dogwatch serve` or `dogwatch demo` printed, or give --token",
        )?;
        let client = reqwest::Client::builder()
            .timeout(std::time::Duration::from_secs(30))
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let url = format!("{}{path}", self.url.trim_end_matches('/'));
        let mut request = client.request(method.parse()?, &url).bearer_auth(token);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request
            .send()
            .await
            .with_context(|| format!("can't reach {}; is Dogwatch running there? See --url", self.url))?;
        let status = answer.status().as_u16();
        let text = answer.text().await?;
        Ok(Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) })
    }

    /// Sends a request that has to succeed.
    pub(super) async fn expect(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        self.send(method, path, body, None).await?.success()
    }
}

impl Answer {
    /// The body of a 2xx; of anything else the server's explanation.
    pub(super) fn success(self) -> anyhow::Result<Value> {
        if (200..300).contains(&self.status) {
            return Ok(self.body);
        }
        let problems: Vec<String> = self.body["errors"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|error| format!("{}: {}", text(&error["field"]), text(&error["message"])))
            .collect();
        match (problems.as_slice(), self.body["detail"].as_str()) {
            ([_, _, ..], _) => bail!("{}", problems.join("\n       ")),
            (_, Some(detail)) => bail!("{detail}"),
            _ => bail!("the server answered {}", self.status),
        }
    }
}

/// A text field, or nothing.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A path segment.
pub(super) fn segment(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}
