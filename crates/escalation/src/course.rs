//! The course of an alert: the steps that it goes through, as its team's plan says now.
//!
//! A step that pages another team stands for that team's steps; the list here has them in its place, so that
//! an alert has one position. Nothing is copied but references. Read next: [`crate::plan`].

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};

use crate::alert::{Alert, Audience};
use crate::directory::Directory;
use crate::name::Name;
use crate::plan::{
    Condition, DEFAULT_AFTER, DEFAULT_REPEAT, Escalate, EscalationPlan, EscalationStep, OnCall, Target,
};

/// How deep teams may name teams. Circles are refused when they are written; this ends those that are made
/// of several edits.
pub const MAX_DEPTH: usize = 5;
/// The most steps of a course. What comes after them is left out.
pub const MAX_STEPS: usize = 500;

/// The steps that an alert goes through, and how often again.
#[derive(Clone, Debug, Default)]
pub struct Course<'a> {
    /// In order, those of other teams in place of the step that names them.
    pub steps: Vec<CourseStep<'a>>,
    /// Further rounds after the first.
    pub repeat: u8,
    /// How long the first page is held back.
    pub hold: Option<SignedDuration>,
}

/// One step of a course.
#[derive(Clone, Debug)]
pub struct CourseStep<'a> {
    /// Whose step it is, if another team's: on call and members are asked of that team.
    pub team: Option<&'a Name>,
    /// Whom it pages.
    pub notify: Cow<'a, [Target]>,
    /// When to go on.
    pub escalate: Escalate,
    /// All must hold.
    pub only: Vec<&'a Condition>,
    /// Everybody has to answer for himself.
    pub each: bool,
}

impl Directory {
    /// The course of an alert for `audience` at `at`. A team without a plan, and a person alone, have the default:
    /// one step a person, [`DEFAULT_AFTER`] each; of a team whoever is on call first, then the other members in
    /// order. A team that does not exist has no steps.
    pub fn course(&self, audience: &Audience, at: Timestamp) -> Course<'_> {
        self.course_by(audience, None, at)
    }

    /// The course of an alert at `at`: through the plan that it was given, else through its team's.
    pub fn course_of(&self, alert: &Alert, at: Timestamp) -> Course<'_> {
        let own = alert.route.plan.as_ref().and_then(|plan| self.plans.get(plan));
        self.course_by(&alert.audience, own.map(AsRef::as_ref), at)
    }

    fn course_by<'a>(
        &'a self,
        audience: &Audience,
        own: Option<&'a EscalationPlan>,
        at: Timestamp,
    ) -> Course<'a> {
        let mut course = Course { repeat: DEFAULT_REPEAT, ..Course::default() };
        match audience {
            Audience::Person(name) => course.steps.push(default_step(None, Target::Person(name.clone()))),
            Audience::Team(name) => {
                let Some((name, team)) = self.teams.get_key_value(name) else { return Course::default() };
                let of_team = || team.escalation_plan.as_ref().and_then(|plan| self.plans.get(plan));
                match own.or_else(|| of_team().map(AsRef::as_ref)) {
                    Some(plan) => {
                        (course.repeat, course.hold) = (plan.repeat, plan.hold);
                        self.unroll_plan(name, plan, at, 0, &mut course.steps);
                    }
                    None => self.unroll(name, at, 0, &mut course.steps),
                }
                course.steps.truncate(MAX_STEPS);
                for step in &mut course.steps {
                    step.team = step.team.filter(|team| *team != name);
                }
            }
        }
        course
    }

    /// Appends the steps of a team.
    fn unroll<'a>(&'a self, name: &'a Name, at: Timestamp, depth: usize, steps: &mut Vec<CourseStep<'a>>) {
        let Some(team) = self.teams.get(name) else { return };
        let plan = team.escalation_plan.as_ref().and_then(|plan| self.plans.get(plan));
        if let Some(plan) = plan {
            return self.unroll_plan(name, plan, at, depth, steps);
        }
        let on_call = self.on_call(&Audience::Team(name.clone()), &OnCall::default(), at).people;
        let others = team.members.iter().filter(|member| !on_call.contains(member));
        let first = (!on_call.is_empty()).then(|| Target::OnCall(OnCall::default()));
        let targets = first.into_iter().chain(others.cloned().map(Target::Person));
        steps.extend(targets.take(MAX_STEPS).map(|target| default_step(Some(name), target)));
    }

    fn unroll_plan<'a>(
        &'a self,
        name: &'a Name,
        plan: &'a EscalationPlan,
        at: Timestamp,
        depth: usize,
        steps: &mut Vec<CourseStep<'a>>,
    ) {
        plan.steps.iter().for_each(|step| self.unroll_step(name, step, at, depth, steps));
    }

    fn unroll_step<'a>(
        &'a self,
        name: &'a Name,
        step: &'a EscalationStep,
        at: Timestamp,
        depth: usize,
        steps: &mut Vec<CourseStep<'a>>,
    ) {
        if steps.len() >= MAX_STEPS {
            return;
        }
        let other = step.notify.iter().find_map(|target| match target {
            Target::Team(other) if depth < MAX_DEPTH => Some(other),
            _ => None,
        });
        let begin = steps.len();
        let Some(other) = other else {
            return steps.push(CourseStep {
                team: Some(name),
                notify: Cow::Borrowed(&step.notify),
                escalate: step.escalate,
                only: step.only.iter().collect(),
                each: step.each,
            });
        };
        // Others of the step are paged with it, before that team.
        let beside: Vec<Target> =
            step.notify.iter().filter(|it| !matches!(it, Target::Team(_))).cloned().collect();
        self.unroll(other, at, depth + 1, steps);
        if !beside.is_empty() {
            let beside = CourseStep {
                team: Some(name),
                notify: Cow::Owned(beside),
                escalate: Escalate::After(SignedDuration::ZERO),
                only: Vec::new(),
                each: false,
            };
            steps.insert(begin, beside);
        }
        for of_team in &mut steps[begin..] {
            of_team.only.extend(&step.only);
            of_team.each |= step.each;
        }
        // Its own plan says how that team goes through its steps; this one when to go on after the last.
        if let Some(last) = steps[begin..].last_mut() {
            last.escalate = step.escalate;
        }
    }
}

fn default_step<'a>(team: Option<&'a Name>, target: Target) -> CourseStep<'a> {
    CourseStep {
        team,
        notify: Cow::Owned(vec![target]),
        escalate: Escalate::After(DEFAULT_AFTER),
        only: Vec::new(),
        each: false,
    }
}
