//! Every test of the service that needs more than one module, as one program.
//!
//! Where a test guards against a defect that Chicken Little, our ancestor, had, this table says so. Defects of
//! rules alone (what is paged when) have their tests in the `escalation` crate.
//!
//! | defect | what went wrong there | test here |
//! |---|---|---|
//! | A1–A3 | the shipped program paged nobody | `process::the_shipped_program_pages_a_team` |
//! | A4 | kill -9 forgot every running page | `story::after_a_crash_at_any_second_the_story_goes_on_as_if_nothing_had_happened`, `story::an_answer_link_from_before_a_crash_still_answers` |
//! | A5 | 200 before anything was durable | `process::nothing_that_was_accepted_is_lost_by_kill_9` |
//! | A6 | a plan that ended was forgotten | `story::nobody_answers_to_the_end` |
//! | A7–A9, D9, D10 | zero and negative durations: floods and panics | `bad_input::durations_are_positive_and_bounded` |
//! | A10 | email steps were never sent | `email::a_page_arrives_and_its_button_acknowledges` |
//! | A12, A14 | empty teams and steps: silence or a crash | `story::an_empty_team_costs_no_waiting_and_is_told` |
//! | A13 | escalation waited for the personal plan | `story::john_is_paged_then_bob_and_bobs_key_stops_both_handsets` |
//! | A15, B5 | a hung provider stopped everything | `story::a_provider_that_hangs_delays_nobody_and_is_tried_again` |
//! | A16 | any answer of a provider was a success | `webhook::only_a_2xx_counts` |
//! | A17 | failed deliveries were ignored | `story::a_permanent_refusal_brings_the_next_contact_at_once` |
//! | A18 | bad JSON: 200, or a page without text | `bad_input::what_is_no_json_object_is_refused` |
//! | A19, A20 | contacts that could never be reached were accepted | `bad_input::unknown_contacts_and_references_are_refused` |
//! | A21 | no dedup, no idempotency | `alerts::one_open_alert_for_a_key`, `alerts::a_repeated_request_makes_one_alert` |
//! | A22 | send errors only in a log | `webhook::only_a_2xx_counts` |
//! | B1, B2 | a provider's answer ended the process | `webhook::whatever_a_receiver_does_the_service_goes_on` |
//! | B3, B4 | an acknowledgement at the wrong moment blocked all | `story::acknowledged_at_every_instant_nothing_rings_afterwards`, `story::two_people_acknowledge_at_once_and_the_second_hears_who_has_it` |
//! | B10 | a second process hung for ever | `process::a_second_process_on_the_same_file_says_so_and_ends` |
//! | B11 | no orderly stop | `process::sigterm_stops_in_order` |
//! | C7 | GET acknowledged | `web::looking_changes_nothing` |
//! | C9 | webhooks reached anything | `webhook::private_addresses_are_refused` |
//! | C11 | the message went into HTML as it was | `email::what_came_from_outside_is_text_everywhere` |
//! | D1 | two creates of one name both succeeded | `definitions::one_of_many_creates_wins` |
//! | D2 | PUT wiped fields that were not sent | `definitions::a_patch_changes_only_what_it_names` |
//! | D3, D5 | dangling references | `definitions::what_is_used_is_not_removed` |
//! | D8 | names with a slash | `bad_input::names_are_plain` |
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "in a test a surprise is a failure"
)]

mod access;
mod alerts;
mod as_code;
mod bad_input;
mod calendar;
mod chat;
mod definition_pages;
mod definitions;
mod duty;
mod email;
mod escalating;
mod intake;
mod integration_page;
mod isolation;
mod lifecycle;
mod mailbox;
mod naemon;
mod nodes;
mod on_call;
mod outgoing;
mod period;
mod phone;
mod process;
mod reach;
mod rehearsal;
mod schedule_page;
mod silence;
mod simulator;
mod store;
mod story;
mod support;
mod text;
mod thread_points;
mod tidy;
mod web;
mod webhook;
mod who;
mod why;
