//! The command line: its arguments, its exit codes, and one module per command.

pub mod args;
mod database;
mod documents;
pub mod error;
mod export;
mod import;
mod import_inputs;
mod import_stream;
mod interrupt;
mod outcome;
mod progress;
mod push;
mod queries;
mod report;
mod serve;
mod sources;
mod tokens;
mod upload;

use std::io::Write;
use std::process::ExitCode;

use crate::config::Config;
use crate::graphql;
use crate::observability::logging;
use args::{Cli, Command, QueriesCommand, SourcesCommand, TokenCommand};
use error::ExitError;
use outcome::CommandOutcome;

pub use upload::upload_reader;

/// Exit code of a command that was interrupted by Ctrl-C, as shells report it.
const EXIT_INTERRUPTED: u8 = 130;

/// Exit code of an import that refused some records and wrote the others.
const EXIT_RECORDS_REFUSED: u8 = 4;

/// Runs a command, prints its result or error, and returns the exit code of the program.
pub async fn run(cli: Cli) -> ExitCode {
    match Box::pin(execute(cli)).await {
        Ok(exit_code) => exit_code,
        // a broken pipe (such as `| head`) is not an error
        Err(error) if error::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kurultai: {error:#}");
            error::exit_code(&error)
        }
    }
}

async fn execute(cli: Cli) -> anyhow::Result<ExitCode> {
    outcome::set_quiet(cli.global.quiet);
    // documents are printed without settings or a database
    match &cli.command {
        Command::Schema => {
            write!(std::io::stdout(), "{}", graphql::sdl()?)?;
            return Ok(ExitCode::SUCCESS);
        }
        Command::Completions { shell } => return documents::completions(*shell).map(|()| ExitCode::SUCCESS),
        Command::Man { directory } => return documents::man(directory.as_deref()).map(|()| ExitCode::SUCCESS),
        _ => {}
    }
    let as_json = cli.global.json;
    let config = Config::load(cli.global.config.as_deref(), &cli.flags()).map_err(ExitError::from)?;
    let traces = logging::init(&config.log)?;
    config.warn_deprecated();
    let outcome = Box::pin(dispatch(cli.command, &config)).await;
    traces.shutdown().await;
    match outcome? {
        CommandOutcome::Silent => Ok(ExitCode::SUCCESS),
        CommandOutcome::Completed(result) => {
            result.print(as_json)?;
            Ok(ExitCode::SUCCESS)
        }
        CommandOutcome::Partial(result) => {
            result.print(as_json)?;
            Ok(ExitCode::from(EXIT_RECORDS_REFUSED))
        }
        CommandOutcome::Interrupted(progress) => {
            eprintln!("kurultai: {progress}");
            Ok(ExitCode::from(EXIT_INTERRUPTED))
        }
    }
}

async fn dispatch(command: Command, config: &Config) -> anyhow::Result<CommandOutcome> {
    let result = match command {
        Command::Serve { migrate, .. } => return serve::serve(config, migrate).await.map(|()| CommandOutcome::Silent),
        Command::Import(args) => return import::import(config, args).await,
        Command::Export(args) => return export::export(config, args).await,
        Command::Migrate { down } => database::migrate(config, down).await?,
        Command::Reindex => database::reindex(config).await?,
        Command::Backup { file } => database::backup(config, &file).await?,
        Command::Token { command } => match command {
            TokenCommand::Create { name, role, expires } => tokens::create(config, &name, role.parse()?, expires).await?,
            TokenCommand::List => tokens::list(config).await?,
            TokenCommand::Revoke { token } => tokens::revoke(config, &token).await?,
        },
        Command::Queries { command } => match command {
            QueriesCommand::Import { file, by } => queries::import(config, &file, &by).await?,
            QueriesCommand::List { limit } => queries::list(config, limit).await?,
        },
        Command::Sources { command: SourcesCommand::Check(args) } => return sources::check(config, args).await,
        // printed before the settings are loaded
        Command::Schema | Command::Completions { .. } | Command::Man { .. } => return Ok(CommandOutcome::Silent),
    };
    Ok(CommandOutcome::Completed(result))
}
