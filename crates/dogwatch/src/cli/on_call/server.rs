//! Who is on call by a server's answers.

use std::sync::Arc;

use anyhow::{Context, anyhow};
use escalation::directory::Directory;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::answer::{Balances, Contacts, Gaps, OnCall, Shifts};
use crate::cli::client::{Server, segment};
use crate::definition::time::print_instant;
use crate::definition::{EscalationPlanSpec, FieldError, PersonSpec, ScheduleSpec, TeamSpec};

pub(super) async fn on_call(server: &Server, team: &str, at: Timestamp) -> anyhow::Result<OnCall> {
    get(server, &format!("/api/v1/teams/{}/on-call?at={}", segment(team), print_instant(at))).await
}

pub(super) async fn schedule(server: &Server, name: &str) -> anyhow::Result<ScheduleSpec> {
    get(server, &format!("/api/v1/schedules/{}", segment(name))).await
}

pub(super) async fn schedules(server: &Server) -> anyhow::Result<Vec<ScheduleSpec>> {
    list(server, "schedules").await
}

pub(super) async fn shifts(
    server: &Server,
    schedule: &str,
    between: (Timestamp, Timestamp),
    role: Option<&str>,
) -> anyhow::Result<Shifts> {
    let role = role.map(|role| format!("&role={}", segment(role))).unwrap_or_default();
    get(server, &format!("{}{role}", path(schedule, "shifts", between))).await
}

pub(super) async fn gaps(
    server: &Server,
    schedule: &str,
    between: (Timestamp, Timestamp),
) -> anyhow::Result<Gaps> {
    get(server, &path(schedule, "gaps", between)).await
}

pub(super) async fn balance(
    server: &Server,
    schedule: &str,
    between: (Timestamp, Timestamp),
) -> anyhow::Result<Balances> {
    get(server, &path(schedule, "balance", between)).await
}

pub(super) async fn contacts(server: &Server) -> anyhow::Result<Contacts> {
    get(server, "/api/v1/contacts").await
}

pub(super) async fn directory(server: &Server) -> anyhow::Result<Directory> {
    let mut directory = Directory::default();
    for person in list::<PersonSpec>(server, "people").await? {
        let person = person.shape().map_err(|errors| unreadable(&person.name, &errors))?;
        directory.people.insert(person.name.clone(), Arc::new(person));
    }
    for plan in list::<EscalationPlanSpec>(server, "escalation-plans").await? {
        let plan = plan.shape().map_err(|errors| unreadable(&plan.name, &errors))?;
        directory.plans.insert(plan.name.clone(), Arc::new(plan));
    }
    for team in list::<TeamSpec>(server, "teams").await? {
        let team = team.shape().map_err(|errors| unreadable(&team.name, &errors))?;
        directory.teams.insert(team.name.clone(), Arc::new(team));
    }
    Ok(directory)
}

fn path(schedule: &str, question: &str, (from, to): (Timestamp, Timestamp)) -> String {
    let (from, to) = (print_instant(from), print_instant(to));
    format!("/api/v1/schedules/{}/{question}?from={from}&to={to}", segment(schedule))
}

async fn get<T: DeserializeOwned>(server: &Server, path: &str) -> anyhow::Result<T> {
    read(server.expect("GET", path, None).await?)
}

/// Every page of a listing.
async fn list<T: DeserializeOwned>(server: &Server, kind: &str) -> anyhow::Result<Vec<T>> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let mut page = server.expect("GET", &format!("/api/v1/{kind}?limit=500{cursor}"), None).await?;
        all.extend(read::<Vec<T>>(page["items"].take())?);
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={}", segment(next)),
            None => return Ok(all),
        }
    }
}

fn read<T: DeserializeOwned>(answer: Value) -> anyhow::Result<T> {
    serde_json::from_value(answer).context("the server's answer can't be read; is it of another version?")
}

fn unreadable(name: &str, errors: &[FieldError]) -> anyhow::Error {
    let why: Vec<String> = errors.iter().map(|error| format!("{}: {}", error.field, error.message)).collect();
    anyhow!("the server's \"{name}\" can't be read: {}", why.join("; "))
}
