//! WHO: the language of periods, rotations and schedules.
//!
//! Pure: this crate never reads a clock, a file or a socket, and draws no chance. Civil time lives
//! here and nowhere else; the zones are the bundled ones, so that all nodes agree.
//!
//! Read next: [`syntax`], which reads and writes the period language; [`period`], which checks,
//! compiles and evaluates it; [`rotation`], in which people take turns; [`calendar`], which does so with the
//! events of a calendar; [`schedule`], which puts them together and says who is on call; [`diagnostic`], which
//! shows what is wrong; and [`zone`], which finds a zone by its name.

pub mod calendar;
pub mod diagnostic;
pub mod period;
pub mod rotation;
pub mod schedule;
mod suggest;
pub mod syntax;
pub mod zone;
