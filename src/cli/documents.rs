//! `kurultai completions` and `kurultai man`: documents that are made from the declaration of the command line.

use std::io::Write;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use super::args::Cli;
use super::error::ExitError;

/// Name of the program in the documents.
const PROGRAM: &str = "kurultai";

/// Prints the script that completes arguments in a shell.
pub(super) fn completions(shell: Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), PROGRAM, &mut script);
    Ok(std::io::stdout().write_all(&script)?)
}

/// Prints the manual page of the program, or writes one page for each command into a directory.
pub(super) fn man(directory: Option<&Path>) -> anyhow::Result<()> {
    let Some(directory) = directory else {
        let mut page = Vec::new();
        Man::new(Cli::command()).render(&mut page)?;
        return Ok(std::io::stdout().write_all(&page)?);
    };
    let unwritable = |error: std::io::Error| ExitError::UnwritableOutput(format!("cannot write to {}: {error}", directory.display()));
    std::fs::create_dir_all(directory).map_err(unwritable)?;
    clap_mangen::generate_to(Cli::command(), directory).map_err(unwritable)?;
    Ok(())
}
