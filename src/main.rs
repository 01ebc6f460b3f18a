//! The `kurultai` program: reads the command line and the configuration, and calls one function for each command.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use kurultai::cli::{Cli, Command, TokenCommand};
use kurultai::config::Config;
use kurultai::store::write::Author;
use kurultai::{app, graphql, telemetry};

/// An answer is made of thousands of small values, which this allocator gives and takes back cheaply.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kurultai: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    if let Command::Schema = cli.command {
        return Ok(write!(std::io::stdout(), "{}", graphql::sdl()?)?);
    }
    let config = Config::load(cli.settings.config.as_deref(), &cli.flags())?;
    telemetry::start(&config.log)?;
    let said = match cli.command {
        Command::Serve { migrate, .. } => return app::serve(&config, migrate).await,
        Command::Migrate { down } => app::migrate(&config, down).await?,
        Command::Import { paths, by, message } => {
            let outcome = app::import(&config, &paths, &Author { by, message }).await?;
            format!("Records: {} created, {} updated, {} unchanged", outcome.created, outcome.updated, outcome.unchanged)
        }
        Command::Token { command } => match command {
            TokenCommand::Create { name, role, expires } => app::create_token(&config, &name, role.parse()?, expires).await?,
            TokenCommand::List => app::list_tokens(&config).await?,
            TokenCommand::Revoke { token } => app::revoke_token(&config, &token).await?,
        },
        Command::Schema => return Ok(()),
    };
    Ok(writeln!(std::io::stdout(), "{said}")?)
}
