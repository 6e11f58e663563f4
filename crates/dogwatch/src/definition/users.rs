//! Who uses a definition: it can't be removed while somebody does.

use escalation::name::Name;
use escalation::plan::{Condition, OnCall, Target};

use super::{Definitions, IntegrationSpec, Kind, RotationSpec, read_json};

impl Definitions {
    /// What refers to a definition, as `team "ops"`: it can't be removed while something does.
    pub fn users(&self, kind: Kind, name: &str) -> Vec<String> {
        let is = |other: &Name| other.as_str() == name;
        let targets = |targets: &[Target]| targets.iter().any(|target| refers(target, kind, name));
        let mut users = Vec::new();
        for team in self.directory.teams.values() {
            let used = match kind {
                Kind::Person => team.members.iter().chain(&team.managers).any(is),
                Kind::EscalationPlan => team.escalation_plan.as_ref().is_some_and(is),
                Kind::Schedule => team.schedule.as_ref().is_some_and(is),
                Kind::Period => {
                    team.urgency.iter().filter_map(|rule| rule.during.as_ref()).any(|it| it.period == name)
                }
                _ => false,
            };
            if used || targets(&team.last_resort) {
                users.push(format!("team \"{}\"", team.name));
            }
        }
        for plan in self.directory.plans.values() {
            let asks_period = |condition: &Condition| matches!(condition, Condition::During(hours) if kind == Kind::Period && hours.period == name);
            if plan.steps.iter().any(|step| targets(&step.notify) || step.only.iter().any(asks_period)) {
                users.push(format!("escalation plan \"{}\"", plan.name));
            }
        }
        if targets(&self.directory.service.last_resort) {
            users.push("the service's last resort".to_owned());
        }
        match kind {
            Kind::Team | Kind::EscalationPlan => {
                for (integration, defined) in self.list(Kind::Integration, "") {
                    let spec = read_json::<IntegrationSpec>(defined.body.clone());
                    if spec.is_ok_and(|spec| spec.names(kind, name)) {
                        users.push(format!("integration \"{integration}\""));
                    }
                }
                let of_team = self.heartbeats().filter(|it| kind == Kind::Team && it.team.as_str() == name);
                users.extend(of_team.map(|it| format!("heartbeat \"{}\"", it.name)));
            }
            Kind::Person => {
                for (rotation, defined) in self.list(Kind::Rotation, "") {
                    let spec = read_json::<RotationSpec>(defined.body.clone());
                    if spec.is_ok_and(|spec| spec.takes_turns(name)) {
                        users.push(format!("rotation \"{rotation}\""));
                    }
                }
                let in_layers =
                    self.schedule_specs().filter(|spec| spec.people().any(|(_, one)| one == name));
                users.extend(in_layers.map(|spec| format!("schedule \"{}\"", spec.name)));
            }
            Kind::Rotation => {
                let using = self.schedule_specs().filter(|spec| spec.rotations().any(|one| one == name));
                users.extend(using.map(|spec| format!("schedule \"{}\"", spec.name)));
            }
            Kind::Period => {
                let asks = |person: &&std::sync::Arc<escalation::person::Person>| {
                    let plans = [&person.high, &person.low].into_iter().flatten();
                    let mut hours =
                        plans.flat_map(|plan| &plan.steps).filter_map(|step| step.during.as_ref());
                    hours.any(|hours| hours.period == name)
                };
                let people = self.directory.people.values().filter(asks);
                users.extend(people.map(|person| format!("person \"{}\"", person.name)));
                let using = self.schedule_specs().filter(|spec| spec.periods().any(|one| one == name));
                users.extend(using.map(|spec| format!("schedule \"{}\"", spec.name)));
                users.extend(self.periods_that_use(name).map(|period| format!("period \"{period}\"")));
                let within = self.heartbeats().filter(|it| it.period.as_deref() == Some(name));
                users.extend(within.map(|it| format!("heartbeat \"{}\"", it.name)));
                users.extend(self.silences_within(name).map(|silence| format!("\"{silence}\"")));
            }
            _ => {}
        }
        users
    }
}

fn refers(target: &Target, kind: Kind, name: &str) -> bool {
    match (kind, target) {
        (Kind::Person, Target::Person(person)) => person.as_str() == name,
        (Kind::Person, Target::RoundRobinOf(people)) => people.iter().any(|person| person.as_str() == name),
        (Kind::Team, Target::Team(team)) => team.as_str() == name,
        (
            Kind::Schedule,
            Target::OnCall(OnCall { schedule: Some(schedule), .. })
            | Target::NextOnCall(OnCall { schedule: Some(schedule), .. })
            | Target::PreviousOnCall(OnCall { schedule: Some(schedule), .. }),
        ) => schedule.as_str() == name,
        _ => false,
    }
}
