//! Hands the command line to [`dogwatch::cli`]; nothing else.

fn main() -> std::process::ExitCode {
    dogwatch::cli::run()
}
