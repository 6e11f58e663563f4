//! The thread *Support Escalations*, point by point: one test for each of its 28 points, named after it, through the
//! service. `docs/guide/escalation.md` lists them with their numbers; a test sees to it that none is missing.

mod documents;
mod duty;
mod plans;
mod teams;
