//! Who is on call, on the command line: who, tonight, schedule and check, as the shipped program does them.

mod guide;

use crate::support::command::{folder, run};
