//! Stories of one alert, told on a clock that the tests move, and read as timelines.
//!
//! [`world`] plays store, sender and carriers around [`escalation::alert::step`]; [`roster`] writes a
//! directory in a few words. The expected timelines are written from what is promised, by hand.
//!
//! Chicken Little, the pager before this one, is known by its defects. Each of them that lies in the
//! reach of this crate, and the test that keeps ours from it:
//!
//! | defect | test |
//! |---|---|
//! | A4 a restart forgets what runs | `story::a_restart_between_any_two_things_changes_nothing` |
//! | A6 a plan ends in silence | `unanswered::everybody_is_paged_in_every_round_then_the_last_resort_then_the_operators_are_warned`, `unanswered::an_unanswered_page_never_falls_silent` |
//! | A7 a repeat of zero floods | `plans::the_last_step_repeats_at_least_a_minute_apart_whatever_was_stored`, `carrier::carriers_that_refuse_everything_make_a_bounded_number_of_sends` |
//! | A8 a random number of sends for one slot | `plans::a_step_repeats_within_its_wait_and_the_last_one_until_answered` |
//! | A9 a last step without a repeat is a panic | `plans::a_person_without_a_plan_has_every_contact_five_minutes_each` |
//! | A10 mail is never sent | `carrier::a_role_is_paged_as_a_person_is_and_told_how_it_ends`, `unanswered::a_team_without_a_last_resort_has_that_of_the_service` |
//! | A11 "all" leaves out the first | `plans::all_members_are_paged_at_once_the_first_included` |
//! | A12 steps are dropped without a word | `gaps::*`, most of all `gaps::when_nobody_at_all_can_be_paged_the_operators_hear_at_once` |
//! | A13 a step's own time is ignored | `story::john_is_paged_and_repeated_then_bob_who_answers` |
//! | A14 an empty team is a panic | `gaps::nobody_on_call_costs_no_waiting` |
//! | A15 a hung provider holds up the plan | `carrier::a_hung_provider_delays_no_step`, `carrier::a_sender_that_dies_is_no_silence` |
//! | A16 a refusal counts as success | `carrier::a_refusal_brings_the_next_contact_at_once_and_is_tried_again` |
//! | A17 a failed delivery moves nothing | `carrier::a_permanent_refusal_brings_the_next_contact_at_once` |
//! | A21 a storm of triggers is a storm of pages | `plans::more_of_the_same_urgency_is_counted_and_pages_nobody`, `unanswered::a_new_trigger_starts_a_round_at_most_hourly` |
//! | B2 a provider's odd answer ends the process | `random::what_is_always_true` |
//! | B3 an answer during the last send blocks all | `story::an_answer_between_any_two_things_ends_all_pages`, `answer::a_page_that_rings_during_the_answer_makes_a_late_notice` |
//! | B4 stopping twice blocks | `answer::the_second_to_acknowledge_hears_who_has_it`, `answer::nothing_can_be_done_to_what_is_resolved` |

#![expect(clippy::unwrap_used, clippy::panic, reason = "where a test can't go on it fails")]

mod amend;
mod answer;
mod aside;
mod carrier;
mod disorder;
mod duty;
mod edits;
mod escalate_when;
mod fault;
mod gaps;
mod hours;
mod invariant;
mod lifecycle;
mod owner;
mod passing;
mod plans;
mod random;
mod receipt;
mod recurrence;
mod relief;
mod roster;
mod rosters;
mod silence;
mod story;
mod targets;
mod unanswered;
mod wanted;
mod watch;
mod words;
mod world;
