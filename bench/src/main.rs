//! `kurultai-bench`: writes a synthetic dataset of any size, and times the API over it.

mod client;
mod count;
mod dataset;
mod faults;
mod fuzz;
mod generate;
mod limit;
mod load;
mod name;
mod overload;
mod pages;
mod pools;
mod proxy;
mod workload;
mod writer;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Measures Kurultai.
#[derive(Debug, Parser)]
#[command(name = "kurultai-bench", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a synthetic dataset into an empty database, through the store that imports write through
    Generate(generate::Arguments),
    /// Browse all cases page by page, to the last one and back, and compare the cost of the pages
    Pages(pages::Arguments),
    /// Ask servers for all workloads, compare their answers, and time them turn by turn
    Load(load::Arguments),
    /// Count the statements that servers run on PostgreSQL for a request, and the bytes that they read
    Count(count::Arguments),
    /// Read and write while a command takes the database away and brings it back, then look for what was acknowledged
    Faults(faults::Arguments),
    /// Ask for more than a server can answer, and see what those who are let in wait for
    Overload(overload::Arguments),
    /// Ask a server for anything, and fail at an answer that is its fault, tells of its inside, or is missing
    Fuzz(fuzz::Arguments),
    /// Serve the limits: a statement written by hand for each workload, and a fixed body
    Limit(limit::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Generate(arguments) => generate::run(&arguments).await,
        Command::Pages(arguments) => pages::run(&arguments).await,
        Command::Load(arguments) => load::run(&arguments).await,
        Command::Count(arguments) => count::run(&arguments).await,
        Command::Faults(arguments) => faults::run(&arguments).await,
        Command::Overload(arguments) => overload::run(&arguments).await,
        Command::Fuzz(arguments) => fuzz::run(&arguments).await,
        Command::Limit(arguments) => limit::run(&arguments).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kurultai-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}
