//! Faults of the storage driver for one volume; they end when the guard is dropped, by a panicking test too.

use std::time::Duration;

use csi_loop::faults::{self, Fault, Operation, Rule, Selector};
pub use csi_loop::faults::{Code, Injected};

use units::Bytes;

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
    refused_with(world, volume, Code::Internal, message)
}

/// The driver refuses to grow the device of `volume`, with this code.
///
/// # Errors
/// When the driver's rules cannot be written.
pub fn refused_with(world: &World, volume: &Volume, code: Code, message: &str) -> anyhow::Result<Injected> {
    refuse(world, volume, Operation::ControllerExpand, code, message)
}

/// The driver refuses to grow the filesystem of `volume`: the node's step.
///
/// # Errors
/// When the driver's rules cannot be written.
pub fn refused_on_the_node(
    world: &World,
    volume: &Volume,
    code: Code,
    message: &str,
) -> anyhow::Result<Injected> {
    refuse(world, volume, Operation::NodeExpand, code, message)
}

/// The driver lets `volume` grow once in a day, and then refuses as EBS's does.
///
/// # Errors
/// When the driver's rules cannot be written.
pub fn once_a_day(world: &World, volume: &Volume) -> anyhow::Result<Injected> {
    let fault = Fault::RateLimit {
        modifications: 1,
        window_millis: u64::try_from(Duration::from_secs(24 * 3600).as_millis())?,
        code: Code::Internal,
        message: None,
    };
    inject(world, "once", volume, None, fault)
}

/// The driver cannot grow `volume` beyond this size, and says so with OUT_OF_RANGE.
///
/// # Errors
/// When the driver's rules cannot be written.
pub fn at_most(world: &World, volume: &Volume, most: Bytes) -> anyhow::Result<Injected> {
    let fault = Fault::Maximum { bytes: most.get() };
    inject(world, "most", volume, None, fault)
}

fn refuse(
    world: &World,
    volume: &Volume,
    operation: Operation,
    code: Code,
    message: &str,
) -> anyhow::Result<Injected> {
    let fault = Fault::Refuse {
        code,
        message: message.to_owned(),
    };
    inject(world, "refused", volume, Some(operation), fault)
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
