//! What monitoring systems send: each format through the real server, and what people are paged for.

mod damage;
mod formats;
mod guide;
mod heartbeats;
mod keys;
mod mail;
mod nagios;
mod opsgenie;
mod random;
mod real;
mod rules;

use serde_json::{Value, json};

use crate::support::{Answer, World, answer};

/// John and Bob, and an integration of their team.
pub struct House {
    pub world: World,
    pub key: String,
}

/// An integration named `mon`, with these fields besides.
pub async fn house(fields: Value) -> House {
    let world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    let mut body = json!({ "name": "mon", "team": "ops" });
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    world.post("/api/v1/integrations", body).await;
    let key =
        world.post("/api/v1/integrations/mon/keys", json!({})).await["secret"].as_str().unwrap().to_owned();
    House { world, key }
}

impl House {
    /// Posts as a sender does; `KEY` in the address and in the body stands for the key.
    pub async fn send(&self, path: &str, body: &Value) -> Answer {
        self.send_text("POST", path, &body.to_string()).await
    }

    pub async fn send_text(&self, method: &str, path: &str, body: &str) -> Answer {
        let url = format!("{}{}", self.world.url, path.replace("KEY", &self.key));
        let request = self.world.client.request(method.parse().unwrap(), url);
        let request = request.header("authorization", format!("GenieKey {}", self.key));
        answer(request.body(body.replace("\"KEY\"", &format!("\"{}\"", self.key)))).await
    }

    /// Posts what has to be taken.
    pub async fn sent(&self, path: &str, body: &Value) -> Value {
        let answer = self.send(path, body).await;
        assert!((200..300).contains(&answer.status), "{path}: {} {}", answer.status, answer.text);
        answer.body
    }

    /// Number, status, summary and severity of every alert, oldest first.
    pub async fn alerts(&self) -> Vec<(u64, String, String, String)> {
        let listed = self.world.get("/api/v1/alerts?status=all").await;
        let text = |alert: &Value, name: &str| alert[name].as_str().unwrap().to_owned();
        let row = |alert: &Value| {
            let number = alert["number"].as_u64().unwrap();
            (number, text(alert, "status"), text(alert, "summary"), text(alert, "severity"))
        };
        let mut alerts: Vec<_> = listed["items"].as_array().unwrap().iter().map(row).collect();
        alerts.sort();
        alerts
    }

    /// Where the only alert stands.
    pub async fn status(&self) -> String {
        let alerts = self.alerts().await;
        assert_eq!(alerts.len(), 1, "{alerts:?}");
        alerts[0].1.clone()
    }

    /// The words that the newest request of the integration came to.
    pub async fn told(&self) -> Vec<String> {
        let last = self.world.get("/api/v1/integrations/mon/received?limit=1").await["items"][0].clone();
        let refused = last["refused"].as_str().map(str::to_owned);
        let events = last["events"].as_array().unwrap().iter();
        refused.into_iter().chain(events.map(|event| event["text"].as_str().unwrap().to_owned())).collect()
    }
}
