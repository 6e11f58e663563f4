//! The command line. One file a command; the client commands speak the API like everybody else.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks to its terminal")]

mod alert;
mod client;
mod completions;
mod demo;
mod notify;
mod serve;
mod token;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

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
    Notify(notify::Notify),
    Alert(alert::Alert),
    Token(token::Token),
    Completions(completions::Completions),
}

/// Runs the command that the arguments of this process name.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    // One TLS for everything. It fails only if somebody has installed one before, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let result = match cli.command {
        Command::Completions(command) => command.run(),
        command => runtime(&command).and_then(|runtime| {
            runtime.block_on(async {
                match command {
                    Command::Serve(command) => command.run().await,
                    Command::Demo(command) => command.run().await,
                    Command::Notify(command) => command.run().await,
                    Command::Alert(command) => command.run().await,
                    Command::Token(command) => command.run().await,
                    Command::Completions(command) => command.run(),
                }
            })
        }),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn runtime(command: &Command) -> anyhow::Result<tokio::runtime::Runtime> {
    let mut builder = match command {
        Command::Serve(_) | Command::Demo(_) => tokio::runtime::Builder::new_multi_thread(),
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    Ok(builder.enable_all().build()?)
}

/// `dogwatch alert list | head` ends well.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
