//! An alert that is saved as Markdown is pasted where Markdown is read: whatever it says, nothing in it is a mark that is
//! not ours.

use std::collections::BTreeMap;

use serde_json::json;

use crate::chat::injection::{corpus, many_lines, one_line};
use crate::support::{World, answer};

/// What follows an address in angle brackets, if that is one: as CommonMark has it, in one line, and without another
/// bracket that is not escaped.
fn after_address(text: &str) -> Option<&str> {
    let mut is_escaped = false;
    for (at, letter) in text.char_indices() {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '<' => return None,
            '>' => return Some(&text[at + 1..]),
            _ => {}
        }
    }
    None
}

/// How many lines are not indented code, and how often each mark stands there that is not escaped.
fn marks(markdown: &str) -> (usize, BTreeMap<char, usize>) {
    let mut found = BTreeMap::new();
    let mut count = 0;
    for line in markdown.split(['\n', '\r']).filter(|line| !line.starts_with("    ")) {
        count += 1;
        let mut letters = line.chars();
        while let Some(letter) = letters.next() {
            if letter == '\\' {
                letters.next();
            } else if "`*_[]<>#|!~&".contains(letter) {
                *found.entry(letter).or_default() += 1;
            }
            let address = letters.as_str().strip_prefix("(<").filter(|_| letter == ']');
            if let Some(after) = address.and_then(after_address) {
                letters = after.chars();
            }
        }
    }
    (count, found)
}

#[test]
fn marks_that_break_out_are_found() {
    let plain = marks("# x\n\n- [x](<https://x.example/?q=*>)\n\n    *code*\n");
    assert_eq!(plain, (5, BTreeMap::from([('#', 1), ('[', 1), (']', 1)])));
    assert_eq!(plain, marks("# \\*x\\*\n\n- [x](<https://x.example/?q=![x](y)>)\n\n    <b>\n    *c*\n"));
    for wrong in [
        "# *x*\n\n- [x](<https://x.example/>)\n\n",
        "# x\n\n- [x](<https://x.example/\n# y>)\n\n",
        "# x\n\n- [x](<https://x.example/\\>)\n\n",
        "# x\n\n- [x](<https://x.example/<b>>)\n\n",
    ] {
        assert_ne!(plain, marks(wrong), "{wrong}");
    }
}

#[tokio::test]
async fn an_alert_that_is_saved_has_the_same_marks_whatever_it_says_and_whoever_has_it() {
    let world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    let mon = json!({ "name": "mon", "team": "ops", "acknowledge": true });
    world.post("/api/v1/integrations", mon).await;
    let key = world.post("/api/v1/integrations/mon/keys", json!({})).await;
    let url = format!("{}/integrations/v1/generic/{}/", world.url, key["secret"].as_str().unwrap());
    let cookie = world.cookie(None).await;
    let mut plain = None;
    let all = corpus();
    assert!(all.len() >= 500);
    for (place, words) in std::iter::once("plain words".to_owned()).chain(all).enumerate() {
        let one = one_line(&words);
        let href = format!("https://grafana.example.org/?q={words}");
        let alert = json!({
            "summary": one, "details": many_lines(&words), "dedup_key": place.to_string(), "integration": "mon",
            "links": [{ "href": href, "text": one }, { "href": href }],
        });
        let alert = world.post("/api/v1/teams/ops/notify", alert).await;
        // Somebody whom only the sender knows has it.
        let event = json!({ "dedup_key": place.to_string(), "status": "acknowledged", "by": one });
        let sent = answer(world.client.post(&url).body(event.to_string())).await;
        assert_eq!(sent.status, 200, "{words:?}: {}", sent.text);
        let saved = world.page(&cookie, &format!("/alerts/{}/export.md", alert["number"])).await;
        assert!(saved.status == 200 && saved.text.contains(" has it; "), "{words:?}: {}", saved.text);
        let found = marks(&saved.text);
        let plain = plain.get_or_insert_with(|| found.clone());
        assert_eq!(found, *plain, "{words:?}: {}", saved.text);
    }
}
