//! What comes to a run from outside: problems, faults, edits, and that all is well again.

use escalation::alert::Audience;
use escalation::event::{Actor, Input, Severity, Trigger, Via};
use escalation::name::Name;
use jiff::SignedDuration;

use super::{Event, Outage, REPEATED_AFTER, World};
use crate::simulator::company;
use crate::simulator::house::House;
use crate::simulator::node::{self, Task};
use crate::simulator::promises::{ANSWERED_WITHIN, Deadline};
use crate::simulator::script::Stimulus;
use crate::store::{AlertRef, Incoming};

impl<H: House> World<'_, H> {
    pub(super) fn stimulate(&mut self, stimulus: Stimulus) {
        self.report.say(self.now, || stimulus.to_string());
        match stimulus {
            Stimulus::Report { key, team, severity } => {
                self.report.count("reports", 1);
                let severity = *Severity::ALL.get(usize::from(severity)).unwrap_or(&Severity::Critical);
                let Ok(name) = Name::new(&company::team(team)) else { return };
                let trigger = Trigger {
                    audience: Audience::Team(name),
                    integration: format!("i{team}"),
                    dedup_key: format!("k{key}"),
                    summary: format!("problem {key}"),
                    details: String::new(),
                    severity,
                    route: escalation::event::Route::default(),
                    links: Vec::new(),
                    by: Actor { person: None, label: "monitor".to_owned(), via: Via::Api },
                };
                self.last_request += 1;
                let request = format!("r{}", self.last_request);
                let idempotency = Some(node::key(&request));
                let incoming = Box::new(Incoming { trigger, idempotency });
                let (integration, key) = (&incoming.trigger.integration, &incoming.trigger.dedup_key);
                self.ledger.report(integration, key);
                let deadline = Deadline::Answered(request.clone(), self.clock());
                self.after(ANSWERED_WITHIN, Event::Deadline(deadline));
                if self.dice.one_in(8) {
                    // A proxy on the way passes it on twice.
                    self.report.count("reports sent twice", 1);
                    self.report_soon(request.clone(), incoming.clone());
                }
                self.repeat(request, incoming);
            }
            Stimulus::Gone { key, team } => {
                if let Some(alert) = self.newest.get(&(team, key)) {
                    let by = Actor { person: None, label: "monitor".to_owned(), via: Via::Api };
                    self.ask(Task::Act { alert: AlertRef::Id(*alert), input: Box::new(Input::Resolve(by)) });
                }
            }
            Stimulus::Crash { node, points, down } => {
                let node = usize::from(node);
                let at_work = self.nodes.get(node).is_some_and(|node| !node.jobs.is_empty());
                if at_work || points % 2 == 0 {
                    if let Some(node) = self.nodes.get_mut(node) {
                        node.dies_in = Some((points, down));
                    }
                } else {
                    self.crash(node, down);
                }
            }
            Stimulus::CrashAll { down } => (0..self.nodes.len()).for_each(|node| self.crash(node, down)),
            Stimulus::Freeze { node, millis } => self.freeze(usize::from(node), millis),
            Stimulus::Trouble { millis } => {
                self.report.count("troubles of the store", 1);
                self.is_in_trouble = true;
                {
                    let mut gate = self.gate.borrow_mut();
                    gate.errors = self.options.faults.errors;
                    gate.lost_commits = self.options.faults.lost_commits;
                }
                self.touch_health();
                self.after(SignedDuration::from_millis(i64::from(millis)), Event::TroubleEnds);
            }
            Stimulus::Outage { provider, millis, how } => {
                self.report.count("outages of a provider", 1);
                let name = company::PROVIDERS[usize::from(provider) % company::PROVIDERS.len()];
                let until = self.now + SignedDuration::from_millis(i64::from(millis));
                self.outages.insert(name.to_owned(), Outage { until, how });
            }
            Stimulus::Jump { millis } => {
                self.report.count("settings of the clock", 1);
                self.offset += SignedDuration::from_millis(i64::from(millis));
                self.touch_health();
                self.look_soon();
            }
            Stimulus::Edit { which, what } => {
                self.report.count("edits", 1);
                let edit = company::edit(self.options, which, what, self.clock());
                self.ask(Task::Define { edits: vec![edit] });
            }
        }
    }

    /// A report is sent, and again for as long as nobody answers.
    pub(super) fn repeat(&mut self, request: String, incoming: Box<Incoming>) {
        if !self.ledger.answered.contains_key(&request) {
            self.report_soon(request.clone(), incoming.clone());
            self.after(REPEATED_AFTER, Event::Repeat { request, incoming });
        }
    }

    /// A report is given to a node, perhaps together with others that come in just after it.
    fn report_soon(&mut self, request: String, incoming: Box<Incoming>) {
        self.reports.push((request, incoming));
        if self.reports.len() == 1 {
            let wait = if self.dice.one_in(2) { 0 } else { self.dice.spread(1, 2_000) };
            let wait = SignedDuration::from_millis(i64::try_from(wait).unwrap_or(0));
            self.after(wait, Event::Report);
        }
    }

    pub(super) fn trouble_ends(&mut self) {
        let mut gate = self.gate.borrow_mut();
        (gate.errors, gate.lost_commits) = (0, 0);
        drop(gate);
        self.house.break_off(None);
        self.is_in_trouble = false;
        self.touch_health();
    }

    /// No more faults: every node comes back, every provider works.
    pub(super) fn heal(&mut self) {
        self.report.say(self.now, || "all is well again".to_owned());
        self.is_healed = true;
        self.outages.clear();
        self.trouble_ends();
        for node in 0..self.nodes.len() {
            self.nodes[node].dies_in = None;
            if !self.nodes[node].is_up {
                let epoch = self.nodes[node].epoch;
                self.after(SignedDuration::ZERO, Event::Start { node, epoch });
            }
            let epoch = self.nodes[node].epoch;
            self.thaw(node, epoch);
        }
    }
}
