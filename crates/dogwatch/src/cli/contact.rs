//! `dogwatch contact`: the contacts of a person: what is known of them, and trying them out.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::{Server, segment, text};

/// See what is known of a person's contacts, verify one, let it ring.
#[derive(Debug, Args)]
pub(super) struct Contact {
    #[command(subcommand)]
    action: Action,
}

/// Which contact is meant.
#[derive(Debug, Args)]
struct Which {
    /// The person's name
    person: String,
    /// The contact, as `list` shows it
    #[arg(value_name = "KIND:ADDRESS")]
    contact: String,
    #[command(flatten)]
    server: Server,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List a person's contacts: verified, tried out, or not used any more
    #[command(after_help = "Example:\n  dogwatch contact list john")]
    List {
        /// The person's name
        person: String,
        #[command(flatten)]
        server: Server,
    },
    /// Send a code there, good for 15 minutes
    #[command(after_help = "Example:\n  dogwatch contact verify john phone:+491701234567")]
    Verify(Which),
    /// Type the code that came in: the contact is verified, and used again if it was not any more
    #[command(after_help = "Example:\n  dogwatch contact confirm john phone:+491701234567 418305")]
    Confirm {
        #[command(flatten)]
        which: Which,
        /// The code
        code: String,
    },
    /// Let it ring now, as a page would; nobody is alerted
    #[command(after_help = "Example:\n  dogwatch contact test john phone:+491701234567")]
    Test(Which),
    /// Say whether the last test sounded while the phone was silenced
    #[command(after_help = "Example:\n  dogwatch contact heard john phone:+491701234567 yes")]
    Heard {
        #[command(flatten)]
        which: Which,
        /// Whether it sounded
        #[arg(value_parser = ["yes", "no"])]
        sounded: String,
    },
}

impl Which {
    async fn post(&self, verb: &str, body: Value, done: &str) -> anyhow::Result<()> {
        let path = format!("/api/v1/people/{}/contacts/{verb}", segment(&self.person));
        let mut asked = json!({ "contact": self.contact });
        for (key, value) in body.as_object().into_iter().flatten() {
            asked[key] = value.clone();
        }
        let answer = self.server.expect("POST", &path, Some(&asked)).await?;
        if self.server.is_json() {
            println!("{answer}");
        } else {
            println!("{}: {done}", self.contact);
        }
        Ok(())
    }
}

impl Contact {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::List { person, server } => {
                let path = format!("/api/v1/people/{}/contacts", segment(&person));
                let answer = server.expect("GET", &path, None).await?;
                if server.is_json() {
                    println!("{answer}");
                    return Ok(());
                }
                for item in answer["items"].as_array().into_iter().flatten() {
                    println!("{:<40} {}", text(&item["contact"]), standing(item));
                }
                Ok(())
            }
            Action::Verify(which) => {
                which.post("verify", json!({}), "a code is on its way, good for 15 minutes").await
            }
            Action::Confirm { which, code } => {
                which.post("confirm", json!({ "code": code }), "verified").await
            }
            Action::Test(which) => {
                which.post("test", json!({}), "it rings now; say `heard … yes` or `no` afterwards").await
            }
            Action::Heard { which, sounded } => {
                which.post("heard", json!({ "sounded": sounded == "yes" }), "that is kept").await
            }
        }
    }
}

/// What is known of a contact, in words.
fn standing(item: &Value) -> String {
    let mut known = vec![match (&item["dead_at"], &item["verified_at"]) {
        (Value::String(at), _) => format!("not used since {at}: verify it again"),
        (_, Value::String(at)) => format!("verified {at}"),
        _ => "not verified".to_owned(),
    }];
    if let Some(at) = item["tested_at"].as_str() {
        known.push(match item["sounded"].as_bool() {
            Some(true) => format!("sounded at the test of {at}"),
            Some(false) => format!("did NOT sound at the test of {at}"),
            None => format!("tested {at}"),
        });
    }
    known.join("; ")
}
