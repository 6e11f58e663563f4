//! The command line. One file a command; the client commands speak the API like everybody else.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks to its terminal")]

mod alert;
mod apply;
mod as_code;
mod check;
mod client;
mod completions;
mod contact;
mod definition_files;
mod demo;
mod doctor;
mod export;
mod heartbeat;
mod import;
mod integration;
mod maintenance;
mod migrate_store;
mod nagios;
mod notify;
mod on_call;
mod period;
mod plan;
mod preview;
mod rehearse;
mod rows;
mod schedule;
mod schema;
mod serve;
mod silence;
mod simulate;
mod terminal;
mod token;
mod tonight;
mod who;
mod why;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::runtime::Builder;

/// On-call paging and escalation: gets hold of the right person and keeps trying until somebody says "I
/// have it".
#[derive(Debug, Parser)]
#[command(name = "dogwatch", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Demo(demo::Demo),
    Who(who::Who),
    Tonight(tonight::Tonight),
    Rehearse(rehearse::Rehearse),
    Schedule(schedule::Schedule),
    Check(check::Check),
    Plan(plan::Plan),
    Apply(apply::Apply),
    Export(export::Export),
    Import(import::Import),
    #[command(name = "schema")]
    Schema(schema::SchemaCommand),
    Period(period::Period),
    Preview(preview::Preview),
    Notify(notify::Notify),
    Nagios(Box<nagios::Nagios>),
    Alert(alert::Alert),
    Why(why::Why),
    Simulate(simulate::Simulate),
    Silence(silence::Silence),
    Maintenance(maintenance::Maintenance),
    Integration(integration::Integration),
    Heartbeat(heartbeat::Heartbeat),
    Contact(contact::Contact),
    Doctor(doctor::Doctor),
    Token(token::Token),
    #[command(name = "migrate-store")]
    MigrateStore(migrate_store::MigrateStore),
    Completions(completions::Completions),
}

/// Runs the command that the arguments of this process name.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    // One TLS for everything. It fails only if somebody has installed one before, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let result = match cli.command {
        Command::Serve(command) => wait_for(&mut Builder::new_multi_thread(), command.run()),
        Command::Demo(command) => wait_for(&mut Builder::new_multi_thread(), command.run()),
        Command::Who(command) => wait_for(&mut Builder::new_current_thread(), command.run()),
        Command::Tonight(command) => wait_for(&mut Builder::new_current_thread(), command.run()),
        Command::Rehearse(command) => wait_for(&mut Builder::new_current_thread(), command.run()),
        Command::Schedule(command) => wait_for(&mut Builder::new_current_thread(), command.run()),
        Command::Check(command) => command.run(),
        Command::Plan(command) => run_to_code(command.run()),
        Command::Apply(command) => wait_for(&mut Builder::new_current_thread(), command.run()),
        Command::Export(command) => wait_for(&mut Builder::new_current_thread(), command.run()),
        Command::Import(command) => command.run(),
        Command::Period(command) => command.run(),
        Command::Preview(command) => command.run().map(|()| ExitCode::SUCCESS),
        Command::Notify(command) => wait_for(&mut Builder::new_current_thread(), command.run()),
        Command::Nagios(command) => run_to_code(command.run()),
        Command::Alert(command) => wait_for(&mut Builder::new_current_thread(), command.run()),
        Command::Why(command) => wait_for(&mut Builder::new_current_thread(), command.run()),
        Command::Simulate(command) => command.run(),
        Command::Silence(command) => wait_for(&mut Builder::new_current_thread(), command.run()),
        Command::Maintenance(command) => wait_for(&mut Builder::new_current_thread(), command.run()),
        Command::Integration(command) => wait_for(&mut Builder::new_current_thread(), command.run()),
        Command::Heartbeat(command) => wait_for(&mut Builder::new_current_thread(), command.run()),
        Command::Contact(command) => wait_for(&mut Builder::new_current_thread(), command.run()),
        Command::Doctor(command) => run_to_code(command.run()),
        Command::Token(command) => wait_for(&mut Builder::new_current_thread(), command.run()),
        Command::MigrateStore(command) => wait_for(&mut Builder::new_current_thread(), command.run()),
        Command::Schema(command) => command.run().map(|()| ExitCode::SUCCESS),
        Command::Completions(command) => command.run().map(|()| ExitCode::SUCCESS),
    };
    match result {
        Ok(code) => code,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn wait_for(
    runtime: &mut Builder,
    command: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<ExitCode> {
    runtime.enable_all().build()?.block_on(command).map(|()| ExitCode::SUCCESS)
}

fn run_to_code(command: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    Builder::new_current_thread().enable_all().build()?.block_on(command)
}

/// `dogwatch alert list | head` ends well.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
