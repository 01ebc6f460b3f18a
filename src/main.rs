//! The `kurultai` program: reads the command line and the configuration, and calls one function for each command.

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use clap::Parser;
use kurultai::app::Fault;
use kurultai::app::import::{Ending, Import};
use kurultai::app::push::Target;
use kurultai::cli::{Cli, Command, ImportFlags, TokenCommand};
use kurultai::config::Config;
use kurultai::store::write::Author;
use kurultai::transfer::popolo::Options;
use kurultai::{app, graphql, telemetry};

/// An answer is made of thousands of small values, which this allocator gives and takes back cheaply.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit code of what was stopped by Ctrl-C, as shells know it.
const INTERRUPTED: u8 = 130;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(code) => code,
        // who reads no further, as head does, has what he wanted
        Err(error) if error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe) => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("kurultai: {error:#}");
            error.downcast_ref::<Fault>().map_or(ExitCode::FAILURE, |fault| ExitCode::from(fault.code()))
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    if let Command::Schema = cli.command {
        write!(std::io::stdout(), "{}", graphql::sdl()?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let config = Config::load(cli.settings.config.as_deref(), &cli.flags())?;
    let traces = telemetry::start(&config.log)?;
    let ended = carry_out(cli.command, &config).await;
    traces.end().await;
    ended
}

async fn carry_out(command: Command, config: &Config) -> anyhow::Result<ExitCode> {
    let said = match command {
        Command::Serve { migrate, .. } => return app::serve(config, migrate).await.map(|()| ExitCode::SUCCESS),
        Command::Migrate { down } => app::migrate(config, down).await?,
        Command::Import(flags) => match app::import::import(config, &import(flags)).await? {
            Ending::Done(said) => said,
            Ending::Interrupted(said) => return Ok(interrupted(&said)),
        },
        Command::Export(flags) => match app::export::export(config, flags).await? {
            Ending::Done(said) => said,
            Ending::Interrupted(said) => return Ok(interrupted(&said)),
        },
        Command::Backup { file } => app::backup(config, &file).await?,
        Command::Token { command } => match command {
            TokenCommand::Create { name, role, expires } => app::create_token(config, &name, role.parse()?, expires).await?,
            TokenCommand::List => app::list_tokens(config).await?,
            TokenCommand::Revoke { token } => app::revoke_token(config, &token).await?,
        },
        Command::Schema => return Ok(ExitCode::SUCCESS),
    };
    writeln!(std::io::stdout(), "{said}")?;
    Ok(ExitCode::SUCCESS)
}

fn interrupted(said: &str) -> ExitCode {
    eprintln!("kurultai: {said}");
    ExitCode::from(INTERRUPTED)
}

fn import(flags: ImportFlags) -> Import {
    Import {
        paths: flags.paths,
        format: flags.format,
        mapping: flags.mapping,
        popolo: Options { scheme: flags.scheme, lang: flags.lang },
        batch: usize::try_from(flags.batch).unwrap_or(usize::MAX),
        dry_run: flags.dry_run,
        target: flags.url.map(|url| Target { url, token: flags.token }),
        author: Author { by: flags.by, message: flags.message },
    }
}
