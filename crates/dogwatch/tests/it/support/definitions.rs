//! Definitions as people write them, put in force through the API; and who was paged by them, and when.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Answer, World};

/// When a world begins: Monday, 03:00 in UTC.
pub const START: Timestamp = Timestamp::constant(1_772_420_400, 0);

/// John, Bob, Carol and Dave in Berlin: each is paged once, by a webhook, has five minutes to answer, and a handset to
/// answer with.
pub fn people() -> String {
    let person = |name: &str| {
        let full = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
        let contact = format!("webhook:https://pager.example/{name}");
        format!(
            "[[person]]\nname = \"{name}\"\nfull_name = \"{full}\"\nzone = \"Europe/Berlin\"\ncontacts = [\"{contact}\", \"handset:{name}\"]\n\
             notification_plans.high.steps = [{{ contact = \"{contact}\", wait = \"5m\" }}]\n"
        )
    };
    ["john", "bob", "carol", "dave"].map(person).concat()
}

/// The team ops of John, Bob and Carol, whose plan has these lines.
pub fn ops(plan: &str) -> String {
    format!(
        "[[team]]\nname = \"ops\"\nmembers = [\"john\", \"bob\", \"carol\"]\nescalation_plan = \"ops\"\n\
         ack_timeout = \"off\"\n[[escalation_plan]]\nname = \"ops\"\n{plan}\n"
    )
}

/// As `apply` sends what stands in a file.
pub fn documents(text: &str) -> Value {
    let tables: toml::Table = toml::from_str(text).unwrap();
    let tables = serde_json::to_value(tables).unwrap();
    let of_kind = |(kind, all): (&String, &Value)| -> Vec<Value> {
        let all = all.as_array().unwrap().iter();
        all.map(|body| json!({ "kind": kind.replace('_', "-"), "body": body })).collect()
    };
    Value::Array(tables.as_object().unwrap().iter().flat_map(of_kind).collect())
}

impl World {
    /// Everything that is defined is what this says.
    pub async fn apply(&self, text: &str) -> Answer {
        let body = json!({ "documents": documents(text), "prune": true });
        self.request("POST", "/api/v1/definitions/apply", Some(body)).await
    }

    /// With John, Bob, Carol and Dave, and with what this says.
    pub async fn defined(text: &str) -> Self {
        let world = Self::new().await;
        let applied = world.apply(&(people() + text)).await;
        assert_eq!(applied.status, 200, "{}\n{text}", applied.text);
        world
    }

    /// Who got a page by now, and how many seconds after the world began: `45 bob`. What left at the same second
    /// stands by name: different providers carry it.
    pub fn pages(&self) -> Vec<String> {
        let seen = self.carrier.seen();
        let pages = seen.iter().filter(|message| message.purpose.word() == "page");
        let mut pages: Vec<(i64, String)> = pages
            .map(|message| {
                let contact = message.contact.as_str();
                let name = contact.strip_prefix("webhook:https://pager.example/").unwrap_or(contact);
                (message.sent_at.duration_since(START).as_secs(), name.to_owned())
            })
            .collect();
        pages.sort();
        pages.into_iter().map(|(second, name)| format!("{second} {name}")).collect()
    }

    /// An alert of this severity for a team. Returns its number.
    pub async fn alert(&self, team: &str, severity: &str) -> u64 {
        let body = json!({ "summary": "disk full", "severity": severity });
        let alert = self.post(&format!("/api/v1/teams/{team}/notify"), body).await;
        alert["number"].as_u64().unwrap()
    }

    /// A person does something to an alert by the API, with a token of that person.
    pub async fn acts(&self, person: &str, number: u64, verb: &str) -> Answer {
        let made = self.post("/api/v1/tokens", json!({ "name": person, "person": person })).await;
        let request = self.client.post(format!("{}/api/v1/alerts/{number}/{verb}", self.url));
        super::answer(request.bearer_auth(made["secret"].as_str().unwrap()).body("{}")).await
    }

    /// A person presses a key of the own handset: 4 is "I have it", 8 is "not me".
    pub async fn presses(&self, person: &str, number: u64, key: u8) {
        let cookie = self.cookie(Some(person)).await;
        let pressed = self.press(&cookie, &format!("/handset/{person}/alerts/{number}/keys/{key}")).await;
        assert_eq!(pressed.status, 303, "{}", pressed.text);
    }

    /// Where an alert stands, in a word.
    pub async fn stands(&self, number: u64) -> String {
        let alert = self.get(&format!("/api/v1/alerts/{number}")).await;
        alert["status"].as_str().unwrap().to_owned()
    }
}
