//! The `kurultai` program.

use std::process::ExitCode;

use clap::Parser;
use kurultai::cli;
use kurultai::cli::args::Cli;

/// Responses are built from many small allocations, which mimalloc handles faster than the system allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    Box::pin(cli::run(Cli::parse())).await
}
