//! What each command does.

use std::{
    env,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::Result;

use crate::{
    args::{Args, Command, ImportArgs, SetUpArgs, StateArgs, UpArgs},
    binaries::{self, Binaries},
    components, down, images, logs, packages, places, processes,
    state::State,
    up::{self, Cluster},
};

/// Carries out one command.
pub fn run(args: Args) -> Result<()> {
    let Args { command } = args;
    match command {
        Command::SetUp(args) => set_up(args),
        Command::Up(args) => start(args),
        Command::Down(args) => down::down(&folder(args)),
        Command::Status(args) => status(args),
        Command::Logs(args) => print_logs(args),
        Command::Import(args) => import(args),
    }
}

fn folder(args: StateArgs) -> PathBuf {
    let StateArgs { state } = args;
    state.unwrap_or_else(places::default_state)
}

fn set_up(args: SetUpArgs) -> Result<()> {
    let SetUpArgs { api_server, helm } = args;
    if helm {
        println!("{}", binaries::helm()?.display());
    } else if api_server {
        packages::ensure(&[packages::ETCD])?;
        Binaries::ensure()?;
    } else {
        up::set_up()?;
    }
    Ok(())
}

fn start(args: UpArgs) -> Result<()> {
    let UpArgs {
        state,
        csi_loop,
        keep,
        kubelet_sync,
    } = args;
    let (folder, started) = (folder(state), Instant::now());
    if keep && Cluster::attach(&folder).is_ok() {
        println!("cluster: runs already");
        return Ok(());
    }
    let csi_loop = csi_loop.map_or_else(|| places::program("csi-loop"), Ok)?;
    let cluster = up::up(&folder, &csi_loop, &kubelet_sync)?;
    println!(
        "cluster: ready after {:.1} s; to use it: . {}",
        started.elapsed().as_secs_f64(),
        shown(&cluster.state().environment())
    );
    Ok(())
}

fn status(args: StateArgs) -> Result<()> {
    let state = State::at(&folder(args))?;
    if !state.folder().exists() {
        println!("no cluster in {}", shown(state.folder()));
        return Ok(());
    }
    for component in components::ALL {
        let says = if processes::runs(&state, component) {
            "runs"
        } else {
            "dead"
        };
        println!("{component:24} {says}  {}", shown(&state.log(component)));
    }
    processes::require_running(&state, components::ALL)
}

fn print_logs(args: StateArgs) -> Result<()> {
    let state = State::at(&folder(args))?;
    for component in components::ALL {
        println!("== {component}\n{}", logs::tail(&state.log(component)));
    }
    Ok(())
}

fn import(args: ImportArgs) -> Result<()> {
    let ImportArgs { state, archives } = args;
    let state = State::at(&folder(state))?;
    archives
        .iter()
        .try_for_each(|archive| images::import(&state, archive))
}

/// Relative to where the user is, if it is below.
fn shown(path: &Path) -> String {
    let here = env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}
