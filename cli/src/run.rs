//! From the command line to an exit code, in one straight line.

use std::process::ExitCode;

use clap::CommandFactory as _;
use runtime::report::Chain;

use crate::{
    args::{Args, Command, Words},
    backtest,
    cluster::Cluster,
    doctor,
    error::Error,
    record, status, volumes, watch, why,
};

/// What an answer says, as far as the exit code goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Sound,
    Wrong,
}

/// Runs one command.
#[must_use]
pub fn run(args: Args) -> ExitCode {
    match start(args) {
        Ok(Verdict::Sound) => ExitCode::SUCCESS,
        Ok(Verdict::Wrong) => ExitCode::from(1),
        Err(error) if error.is_reader_gone() => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("error: {}", Chain(&error));
            ExitCode::from(error.code())
        }
    }
}

fn start(args: Args) -> Result<Verdict, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::Runtime)?;
    runtime.block_on(perform(args))
}

async fn perform(args: Args) -> Result<Verdict, Error> {
    let Args { cluster, command } = args;
    let connect = || Cluster::of(&cluster);
    match command {
        Command::Status { output } => status::status(&connect().await?, output).await?,
        Command::Why { database, output } => why::why(&connect().await?, &database, output).await?,
        Command::Volumes { database, output } => {
            volumes::volumes(&connect().await?, database.as_deref(), output).await?;
        }
        Command::Watch { interval } => watch::watch(&connect().await?, interval).await?,
        Command::Doctor { output } => return doctor::doctor(&connect().await?, output).await,
        Command::Backtest(args) => return backtest::backtest(args),
        Command::Record { every, length, until } => {
            record::record(&connect().await?, every, length, until).await?;
        }
        Command::Completions { shell } => completions(shell),
    }
    Ok(Verdict::Sound)
}

fn completions(shell: clap_complete::Shell) {
    let mut command = Args::command();
    clap_complete::generate(shell, &mut command, "kubectl-highwater", &mut std::io::stdout());
}

impl Words {
    /// The same as a form; text is the one for people.
    pub(crate) const fn form(self) -> crate::args::Form {
        match self {
            Self::Text => crate::args::Form::Table,
            Self::Json => crate::args::Form::Json,
            Self::Yaml => crate::args::Form::Yaml,
        }
    }
}
