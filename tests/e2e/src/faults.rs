//! Faults of the storage driver for one volume; they end when the guard is dropped, by a panicking test too.

use std::time::Duration;

use csi_loop::faults::{self, Code, Fault, Injected, Operation, Rule, Selector};

use crate::{Volume, World};

/// The driver grows the device of `volume` only while no node has it.
///
/// # Errors
/// When the driver's rules cannot be written.
pub fn offline_only(world: &World, volume: &Volume) -> anyhow::Result<Injected> {
    let rule = Rule {
        name: format!("offline-{}", volume.name),
        volume: Selector::Volume(volume.name.clone()),
        op: None,
        fault: Fault::OfflineOnly,
    };
    Ok(faults::inject(&world.state().join("csi-loop"), rule)?)
}

/// The driver takes this much longer to grow the device of `volume`.
///
/// # Errors
/// When the driver's rules cannot be written.
pub fn slow_controller(world: &World, volume: &Volume, delay: Duration) -> anyhow::Result<Injected> {
    let rule = Rule {
        name: format!("slow-{}", volume.name),
        volume: Selector::Volume(volume.name.clone()),
        op: Some(Operation::ControllerExpand),
        fault: Fault::Delay {
            millis: u64::try_from(delay.as_millis())?,
        },
    };
    Ok(faults::inject(&world.state().join("csi-loop"), rule)?)
}

/// The driver refuses to grow the device of `volume`, with a code that says it may work later.
///
/// # Errors
/// When the driver's rules cannot be written.
pub fn refused(world: &World, volume: &Volume, message: &str) -> anyhow::Result<Injected> {
    let rule = Rule {
        name: format!("refused-{}", volume.name),
        volume: Selector::Volume(volume.name.clone()),
        op: Some(Operation::ControllerExpand),
        fault: Fault::Refuse {
            code: Code::Internal,
            message: message.to_owned(),
        },
    };
    Ok(faults::inject(&world.state().join("csi-loop"), rule)?)
}
