//! `kurultai-bench`: generates a synthetic dataset of any size, and runs performance and robustness tests of the API over it.

mod attack;
mod client;
mod count;
mod dataset;
mod faults;
mod fuzz;
mod generate;
mod limit;
mod load;
mod network;
mod overload;
mod pages;
mod target;
mod workload;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Benchmarks of Kurultai.
#[derive(Debug, Parser)]
#[command(name = "kurultai-bench", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a synthetic dataset into an empty database, through the same store as an import
    Generate(generate::Arguments),
    /// Page through all cases forward and backward, and compare the latency of the pages
    Pages(pages::Arguments),
    /// Run the workloads against several servers, compare their responses, and measure throughput and latency
    Load(load::Arguments),
    /// Count the PostgreSQL statements, round trips and bytes per request
    Count(count::Arguments),
    /// Read and write while the database is repeatedly restarted, then verify the acknowledged writes
    Faults(faults::Arguments),
    /// Exceed the capacity of a server, and compare the latency of admitted requests with that at half of it
    Overload(overload::Arguments),
    /// Send requests that cost more than they appear to, and check that the server stays available
    Attack(attack::Arguments),
    /// Send random requests, and stop at the first internal error, leak of internal details or missing response
    Fuzz(fuzz::Arguments),
    /// Serve the upper limits: one hand-written SQL statement per workload, and a fixed body
    Limit(limit::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Generate(arguments) => generate::run(&arguments).await,
        Command::Pages(arguments) => pages::run(&arguments).await,
        Command::Load(arguments) => load::run(&arguments).await,
        Command::Count(arguments) => count::run(&arguments).await,
        Command::Faults(arguments) => faults::run(&arguments).await,
        Command::Overload(arguments) => overload::run(&arguments).await,
        Command::Attack(arguments) => attack::run(&arguments).await,
        Command::Fuzz(arguments) => fuzz::run(&arguments).await,
        Command::Limit(arguments) => limit::run(&arguments).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kurultai-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}
