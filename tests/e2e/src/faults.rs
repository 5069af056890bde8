//! Faults of the storage driver for one volume; they end when the guard is dropped, by a panicking test too.

use std::time::Duration;

pub use csi_loop::faults::Injected;
use csi_loop::faults::{self, Code, Fault, Operation, Rule, Selector};

use crate::{Volume, World};

/// The driver grows the device of each of `volumes` only while no node has it.
///
/// # Errors
/// When the driver's rules cannot be written.
pub fn offline_only(world: &World, volumes: &[Volume]) -> anyhow::Result<Vec<Injected>> {
    let each = volumes.iter().map(|volume| {
        let fault = Fault::OfflineOnly;
        inject(world, "offline", volume, None, fault)
    });
    each.collect()
}

/// The driver takes this much longer to grow the device of `volume`.
///
/// # Errors
/// When the driver's rules cannot be written.
pub fn slow_controller(world: &World, volume: &Volume, delay: Duration) -> anyhow::Result<Injected> {
    slow(world, volume, Operation::ControllerExpand, delay)
}

/// The driver takes longer to grow the filesystem of `volume`. Kubelet waits for it two minutes, a csi-resizer for the device
/// ten seconds only.
///
/// # Errors
/// When the driver's rules cannot be written.
pub fn slow_node(world: &World, volume: &Volume, delay: Duration) -> anyhow::Result<Injected> {
    slow(world, volume, Operation::NodeExpand, delay)
}

/// The driver refuses to grow the device of `volume`, with a code that says it may work later.
///
/// # Errors
/// When the driver's rules cannot be written.
pub fn refused(world: &World, volume: &Volume, message: &str) -> anyhow::Result<Injected> {
    let fault = Fault::Refuse {
        code: Code::Internal,
        message: message.to_owned(),
    };
    inject(world, "refused", volume, Some(Operation::ControllerExpand), fault)
}

fn slow(world: &World, volume: &Volume, operation: Operation, delay: Duration) -> anyhow::Result<Injected> {
    let fault = Fault::Delay {
        millis: u64::try_from(delay.as_millis())?,
    };
    inject(world, "slow", volume, Some(operation), fault)
}

fn inject(
    world: &World,
    what: &str,
    volume: &Volume,
    op: Option<Operation>,
    fault: Fault,
) -> anyhow::Result<Injected> {
    let rule = Rule {
        name: format!("{what}-{}", volume.name),
        volume: Selector::Volume(volume.name.clone()),
        op,
        fault,
    };
    Ok(faults::inject(&world.state().join("csi-loop"), rule)?)
}
