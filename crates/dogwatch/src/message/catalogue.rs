//! The catalogue: what every sentence of ours is in German.
//!
//! Sentences are made in English, some of them long before it is known who reads them, and stored so. The catalogue is
//! keyed by them, as those of gettext are: `{…}` stands for what is put in, and is left as it is but for `{when}`, a
//! day and time, and `{list}`. A sentence that is not here stays English: better that than nothing.
//!
//! Only for sentences of ours, never for what came from outside.

use super::Language;

/// The sentence in this language.
pub fn say(text: &str, language: Language) -> String {
    match language {
        Language::English => text.to_owned(),
        Language::German => german(text).unwrap_or_else(|| text.to_owned()),
    }
}

fn german(text: &str) -> Option<String> {
    GERMAN.iter().find_map(|(english, german)| fill(german, &read(english, text)?))
}

/// What stands in the holes of a pattern, if the text fits it. Each with its name.
fn read<'a>(pattern: &'a str, text: &'a str) -> Option<Vec<(&'a str, &'a str)>> {
    let mut parts = pattern.split('{');
    let mut rest = text.strip_prefix(parts.next()?)?;
    let mut found = Vec::new();
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        let (name, literal) = part.split_once('}')?;
        let is_last = parts.peek().is_none();
        let end = if is_last { rest.strip_suffix(literal)?.len() } else { rest.find(literal)? };
        let value = rest.get(..end)?;
        if value.is_empty() {
            return None;
        }
        found.push((name, value));
        rest = rest.get(end + literal.len()..)?;
    }
    rest.is_empty().then_some(found)
}

fn fill(pattern: &str, holes: &[(&str, &str)]) -> Option<String> {
    let mut parts = pattern.split('{');
    let mut made = parts.next()?.to_owned();
    for part in parts {
        let (name, literal) = part.split_once('}')?;
        let (_, value) = holes.iter().find(|(hole, _)| *hole == name)?;
        match name {
            "when" | "then" => made.push_str(&day(value)),
            // A reason of ours is a sentence of its own.
            "why" => made.push_str(&say(value, Language::German)),
            "list" => made.push_str(
                &value.replace(" has it)", " hat es)").replace(" put it aside)", " stellt es zurück)"),
            ),
            _ => made.push_str(value),
        }
        made.push_str(literal);
    }
    Some(made)
}

/// `Mon 30 Nov 08:00 CET` with the names of day and month in German.
fn day(text: &str) -> String {
    let words = text.split(' ').map(|word| match word {
        "Mon" => "Mo",
        "Tue" => "Di",
        "Wed" => "Mi",
        "Thu" => "Do",
        "Fri" => "Fr",
        "Sat" => "Sa",
        "Sun" => "So",
        "Mar" => "März",
        "May" => "Mai",
        "Oct" => "Okt",
        "Dec" => "Dez",
        "CET" => "MEZ",
        "CEST" => "MESZ",
        other => other,
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The first that fits counts: what says more stands first.
const GERMAN: &[(&str, &str)] = &[
    // ---- a page ----
    ("Please answer: do you have it?", "Bitte antworten: Haben Sie es?"),
    ("Please answer for yourself: do you come, too?", "Bitte antworten Sie selbst: Kommen Sie auch?"),
    (
        "You have it. Still on it? Press 4, or others are paged in 5 minutes.",
        "Sie haben es. Noch dran? Drücken Sie 4, sonst werden in 5 Minuten andere gerufen.",
    ),
    ("Somebody has to look at this.", "Jemand muss sich das ansehen."),
    ("You need not answer.", "Sie brauchen nicht zu antworten."),
    (
        "Did it sound? Please say so under \"My contacts\".",
        "Hat es geklingelt? Bitte unter \"My contacts\" sagen.",
    ),
    ("TEST of this contact. Nothing is wrong.", "TEST dieses Kontakts. Es ist nichts passiert."),
    ("Your code for Dogwatch is {code}", "Ihr Code für Dogwatch ist {code}"),
    (
        "{contact} is not used any more: the last {count} messages there failed ({why}). Verify it again under \"My contacts\"",
        "{contact} wird nicht mehr benutzt: Die letzten {count} Nachrichten dorthin sind gescheitert ({why}). Bitte unter \
         \"My contacts\" neu bestätigen",
    ),
    (
        "Every number that may call you about an alert. Let it ring when the phone is silenced.",
        "Jede Nummer, die Sie wegen eines Alarms anrufen kann. Lassen Sie sie auch bei stummem Telefon klingeln.",
    ),
    ("This needs a human.", "Das braucht einen Menschen."),
    ("Come, too: ", "Kommen Sie auch: "),
    ("Still on it? ", "Noch dran? "),
    ("WARNING ", "ACHTUNG "),
    ("Alert #{number} for the team {team}", "Alarm #{number} für das Team {team}"),
    ("Alert #{number} for {person}", "Alarm #{number} für {person}"),
    ("Since {at} ({age} ago)", "Seit {at} (vor {age})"),
    ("Since {at} ({age})", "Seit {at} ({age})"),
    ("{count} days", "{count} Tagen"),
    ("(and {count} more)", "(und {count} weitere)"),
    ("… and {count} more: {url}", "… und {count} weitere: {url}"),
    (
        "{count} alerts wait for an answer. Please answer: do you have them?",
        "{count} Alarme warten auf Antwort. Bitte antworten: Haben Sie sie?",
    ),
    ("I have all {count}", "Ich habe alle {count}"),
    ("I have it", "Ich habe es"),
    ("Resolved", "Erledigt"),
    ("Not me", "Ich nicht"),
    ("Open", "Öffnen"),
    ("I have it:", "Ich habe es:"),
    ("I have them:", "Ich habe sie:"),
    ("I have it …", "Ich habe es …"),
    ("I have them …", "Ich habe sie …"),
    ("The alert and its timeline", "Der Alarm und sein Verlauf"),
    (
        "Reply {code}: I have the first. ACK ALL: all of them",
        "Antwort {code}: ich habe das erste. ACK ALL: alle",
    ),
    ("Reply {code}: I have it", "Antwort {code}: ich habe es"),
    // ---- what people are told ----
    ("it goes on as #{number}, says {by}", "es geht weiter als #{number}, sagt {by}"),
    ("{by} put it aside for {time}", "{by} hat es für {time} zurückgestellt"),
    (
        "{by} passed it on to {whom}; nothing more to do",
        "{by} hat es an {whom} weitergegeben; nichts mehr zu tun",
    ),
    ("nobody has it any more; others are asked", "niemand hat es mehr; andere werden gefragt"),
    ("{by} asks for the next step", "{by} will den nächsten Schritt"),
    ("silenced; nothing to do for now", "stummgeschaltet; vorerst nichts zu tun"),
    ("{by} passed it on", "{by} hat es weitergegeben"),
    ("{by} put it together with another", "{by} hat es mit einem anderen zusammengelegt"),
    ("it is back", "es ist wieder da"),
    ("{by} notes: {text}", "{by} vermerkt: {text}"),
    ("{by} comes, too", "{by} kommt auch"),
    ("{by} can't come", "{by} kann nicht kommen"),
    ("resolved by {by}; nothing more to do", "erledigt durch {by}; nichts mehr zu tun"),
    ("silenced by {why}; nothing to do for now", "stummgeschaltet durch {why}; vorerst nichts zu tun"),
    (
        "you did not say that you are still on it; others are asked",
        "Sie haben nicht gesagt, dass Sie noch dran sind; andere werden gefragt",
    ),
    (
        "nobody has answered; everybody in the plan and the last resort was paged",
        "niemand hat geantwortet; alle im Plan und die letzte Instanz wurden gerufen",
    ),
    ("{who} took over; you are relieved", "{who} hat übernommen; Sie sind abgelöst"),
    (
        "stopped, because of a fault of Dogwatch: {what}",
        "angehalten wegen eines Fehlers von Dogwatch: {what}",
    ),
    ("You are shadowing: {who} is paged.", "Sie begleiten: {who} wird gerufen."),
    // ---- duty ----
    (
        "You are on call for {duty} now, and no end is in sight.",
        "Sie haben jetzt Bereitschaft für {duty}, ein Ende ist nicht abzusehen.",
    ),
    (
        "You are on call for {duty} from {when}, and no end is in sight.",
        "Sie haben Bereitschaft für {duty} ab {when}, ein Ende ist nicht abzusehen.",
    ),
    (
        "You are on call for {duty} now until {when}; nobody is after you.",
        "Sie haben jetzt Bereitschaft für {duty} bis {when}; nach Ihnen kommt niemand.",
    ),
    (
        "You are on call for {duty} from {when} until {then}; nobody is after you.",
        "Sie haben Bereitschaft für {duty} ab {when} bis {then}; nach Ihnen kommt niemand.",
    ),
    (
        "You are on call for {duty} now until {when}; next is {next}.",
        "Sie haben jetzt Bereitschaft für {duty} bis {when}; danach kommt {next}.",
    ),
    (
        "You are on call for {duty} from {when} until {then}; next is {next}.",
        "Sie haben Bereitschaft für {duty} ab {when} bis {then}; danach kommt {next}.",
    ),
    (
        "{who} took over {duty} until {when}; you are relieved.",
        "{who} hat {duty} bis {when} übernommen; Sie sind abgelöst.",
    ),
    ("{who} took over {duty}; you are relieved.", "{who} hat {duty} übernommen; Sie sind abgelöst."),
    ("Open for {duty}, and in good hands: {list}.", "Offen für {duty} und in guten Händen: {list}."),
    (
        "{who} is on call for {duty} now and has no contact that can wake anybody",
        "{who} hat jetzt Bereitschaft für {duty} und keinen Kontakt, der jemanden wecken kann",
    ),
    // ---- what was done ----
    (
        "{who} has #{number} already. You need not do anything.",
        "{who} hat #{number} schon. Sie brauchen nichts zu tun.",
    ),
    ("#{number} is resolved already.", "#{number} ist schon erledigt."),
    (
        "You have #{number}. Nobody else is paged any more.",
        "Sie haben #{number}. Niemand sonst wird mehr gerufen.",
    ),
    ("You have it. Nobody else is paged any more.", "Sie haben es. Niemand sonst wird mehr gerufen."),
    (
        "You have all {count}. Nobody else is paged for them any more.",
        "Sie haben alle {count}. Niemand sonst wird dafür mehr gerufen.",
    ),
    (
        "You have {mine} of {all}; the others are answered, too.",
        "Sie haben {mine} von {all}; die anderen sind auch beantwortet.",
    ),
    (
        "You have {mine} of {all}; {waiting} wait for an answer.",
        "Sie haben {mine} von {all}; {waiting} warten auf Antwort.",
    ),
    ("{waiting} of {all} wait for an answer.", "{waiting} von {all} warten auf Antwort."),
    (
        "All of them are answered. You need not do anything.",
        "Alle sind beantwortet. Sie brauchen nichts zu tun.",
    ),
    ("You come, too. {who} has #{number}.", "Sie kommen auch. {who} hat #{number}."),
    ("{who} has #{number}.", "{who} hat #{number}."),
    (
        "#{number} is resolved. Everybody who was paged is told.",
        "#{number} ist erledigt. Alle, die gerufen wurden, erfahren es.",
    ),
    ("Done. #{number} goes on to the next.", "Gut. #{number} geht an die Nächsten."),
    (
        "Nothing was done: the database does not answer. Try again in a moment.",
        "Es ist nichts geschehen: Die Datenbank antwortet nicht. Versuchen Sie es gleich noch einmal.",
    ),
    (
        "The database does not answer, so that it is not sure whether that counts. Send it again in a moment.",
        "Die Datenbank antwortet nicht; es ist nicht sicher, ob das zählt. Schicken Sie es gleich noch einmal.",
    ),
    ("You come, too. All of them are answered.", "Sie kommen auch. Alle sind beantwortet."),
    (
        "Nothing was done: there is no such alert any more.",
        "Es ist nichts geschehen: Diesen Alarm gibt es nicht mehr.",
    ),
    (
        "Nothing was done: the mail held several alerts. Of those only \"ack\" is possible by mail.",
        "Es ist nichts geschehen: Die Mail enthielt mehrere Alarme. Da geht per Mail nur \"ack\".",
    ),
    (
        "Nothing was done: \"{text}\" is no code of yours. {help}",
        "Es ist nichts geschehen: \"{text}\" ist keiner Ihrer Codes. {help}",
    ),
    (
        "Nothing was done: your mail has to begin with a line that says \"ack\", \"resolve\" or \"not me\".",
        "Es ist nichts geschehen: Ihre Mail muss mit einer Zeile beginnen, in der \"ack\", \"erledigt\" oder \"ich nicht\" steht.",
    ),
    (
        "Dogwatch knows nobody with the contact {contact}. Whoever you are there, add it to your contacts.",
        "Dogwatch kennt niemanden mit dem Kontakt {contact}. Tragen Sie ihn bei Ihren Kontakten ein.",
    ),
    (
        "several people have the contact {contact}, so that it is not clear who you are. Use Dogwatch's page.",
        "Mehrere haben den Kontakt {contact}, es ist also nicht klar, wer Sie sind. Nehmen Sie die Seite von Dogwatch.",
    ),
    ("Nothing was done: {why}.", "Es ist nichts geschehen: {why}."),
    (
        "All of them are answered already. You need not do anything.",
        "Alle sind schon beantwortet. Sie brauchen nichts zu tun.",
    ),
    (
        "It is answered already. You need not do anything.",
        "Es ist schon beantwortet. Sie brauchen nichts zu tun.",
    ),
    // ---- why nothing was done ----
    ("there is no such team or person", "dieses Team oder diese Person gibt es nicht"),
    (
        "there is no such person, or no contact to try",
        "diese Person gibt es nicht, oder sie hat keinen Kontakt",
    ),
    (
        "that time is over; name one that is still to come",
        "diese Zeit ist vorbei; nennen Sie eine, die noch kommt",
    ),
    ("an alert is put aside for seven days at most", "ein Alarm wird höchstens sieben Tage zurückgestellt"),
    (
        "the alert is resolved; a new trigger opens a new one",
        "der Alarm ist erledigt; eine neue Meldung eröffnet einen neuen",
    ),
    (
        "a silence holds the alert back; escalate it to page people all the same",
        "der Alarm ist stummgeschaltet; eskalieren Sie ihn, um trotzdem zu rufen",
    ),
    (
        "nobody has acknowledged the alert, so it is being paged already",
        "niemand hat den Alarm bestätigt, es wird also schon gerufen",
    ),
    (
        "the escalation plan has no such step; leave it out for the next one",
        "diesen Schritt hat der Plan nicht; ohne Angabe kommt der nächste",
    ),
    ("no page of yours is open for this alert", "Sie werden zu diesem Alarm gerade nicht gerufen"),
    // ---- replies by short message ----
    ("You get messages again. STOP ends them.", "Sie bekommen wieder Nachrichten. STOP beendet das."),
    (
        "Write the code of a message, and you have it. RESOLVE and the code: it is over. NOT ME and the code: somebody else \
         is asked. ACK ALL: you have all of the last message. STOP: no more messages.",
        "Schreiben Sie den Code einer Nachricht, dann haben Sie es. RESOLVE und Code: erledigt. NOT ME und Code: jemand \
         anderes wird gefragt. ACK ALL: Sie haben alles aus der letzten Nachricht. STOP: keine Nachrichten mehr.",
    ),
    (
        "Too many wrong codes: for an hour no code from this number counts. ACK ALL does; or answer on the web, or wait \
         for the call.",
        "Zu viele falsche Codes: Eine Stunde lang zählt kein Code von dieser Nummer. ACK ALL zählt; oder antworten Sie im \
         Web, oder warten Sie auf den Anruf.",
    ),
    ("Nothing waits for your answer.", "Nichts wartet auf Ihre Antwort."),
    ("No message of ours waits for your answer.", "Keine Nachricht von uns wartet auf Ihre Antwort."),
    ("Nothing of that message waits any more.", "Aus dieser Nachricht wartet nichts mehr."),
    ("You have {numbers}, all of that message.", "Sie haben {numbers}, alles aus dieser Nachricht."),
    ("Still waiting:", "Es warten noch:"),
    ("Which? Reply with its code:", "Welcher? Antworten Sie mit dem Code:"),
    ("and {count} more", "und {count} weitere"),
    (
        "{contact} has said STOP: no messages go there any more, until it sends START. Calls still do",
        "{contact} hat STOP gesagt: Dorthin gehen keine Nachrichten mehr, bis START kommt. Anrufe gehen weiter",
    ),
    // ---- how an alert stands ----
    ("nobody has it yet", "noch hat es niemand"),
    ("nobody answered", "niemand hat geantwortet"),
    ("somebody has it", "jemand hat es"),
    ("{by} put it aside", "{by} stellt es zurück"),
    ("silenced by {why}", "stummgeschaltet durch {why}"),
    ("went into #{number}", "aufgegangen in #{number}"),
    ("resolved", "erledigt"),
    ("{by} has it", "{by} hat es"),
    // ---- calls ----
    ("Nobody has answered. Goodbye.", "Es kam keine Antwort. Auf Wiederhören."),
    ("Press 6 again if it is over.", "Drücken Sie noch einmal 6, wenn es erledigt ist."),
    (
        "Press 4 if you have it, 6 twice if it is over, 8 if you can't take it, 1 to hear it again.",
        "Drücken Sie 4, wenn Sie es übernehmen, zweimal 6, wenn es erledigt ist, 8, wenn Sie nicht können, 1 zum \
         Wiederholen.",
    ),
    (
        "Press 4 if you have all of them, 1 to hear it again.",
        "Drücken Sie 4, wenn Sie alle übernehmen, 1 zum Wiederholen.",
    ),
    (
        "This could not be stored. Nothing was done. Please press the key again.",
        "Das konnte nicht gespeichert werden. Es ist nichts geschehen. Bitte noch einmal drücken.",
    ),
    ("This key means nothing.", "Diese Taste hat keine Bedeutung."),
    ("team {team}", "Team {team}"),
    ("for you", "für Sie"),
    (" And {count} more alerts.", " Und {count} weitere Meldungen."),
    // ---- severities ----
    ("critical", "kritisch"),
    ("error", "Fehler"),
    ("warning", "Warnung"),
    ("info", "Hinweis"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn holes(pattern: &str) -> BTreeSet<&str> {
        pattern.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name).collect()
    }

    #[test]
    fn every_sentence_is_found_and_loses_nothing_that_was_put_in() {
        for (english, german) in GERMAN {
            assert_eq!(holes(english), holes(german), "{english}");
            let filled = |pattern: &str| {
                holes(pattern).iter().fold(pattern.to_owned(), |text, hole| {
                    text.replace(&format!("{{{hole}}}"), &format!("‹{hole}›"))
                })
            };
            assert_eq!(
                say(&filled(english), Language::German),
                filled(german),
                "an earlier one hides {english}"
            );
        }
    }

    #[test]
    fn days_and_lists_are_translated_and_names_are_not() {
        for (english, german) in [
            (
                "You are on call for ops (primary) from Mon 08:00 CET until Mon 5 Oct 08:00; next is May.",
                "Sie haben Bereitschaft für ops (primary) ab Mo 08:00 MEZ bis Mo 5 Okt 08:00; danach kommt May.",
            ),
            (
                "Open for ops (primary), and in good hands: #7 disk full (Bob has it); #8 x (Eve put it aside).",
                "Offen für ops (primary) und in guten Händen: #7 disk full (Bob hat es); #8 x (Eve stellt es zurück).",
            ),
            ("Bob {has} it; has it", "Bob {has} it; hat es"),
            ("something that nobody has translated", "something that nobody has translated"),
            ("", ""),
        ] {
            assert_eq!(say(english, Language::German), german);
            assert_eq!(say(english, Language::English), english);
        }
    }
}
