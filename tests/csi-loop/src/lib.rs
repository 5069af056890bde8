//! TEST-ONLY: a CSI driver that makes XFS filesystems on loop devices, really limits and really grows them, and fails
//! on demand. The development cluster and the end-to-end tests run it; no product image holds it, and data in its
//! volumes is worth nothing.
//!
//! What is true is in files and in the kernel, never in memory alone: images and records under the state directory,
//! loop devices by their backing file, mounts in mountinfo. So a driver that was killed goes on where it stopped.
//!
//! ```text
//! identity, registration      who we are, to sidecars and kubelet
//! controller -> gate -> volumes, growth      create, delete, grow the image and its loop device
//! node       -> gate -> staging, stats       attach, format, mount, bind, grow the filesystem, measure
//! ```

pub mod args;
pub mod capability;
pub mod clock;
pub mod command;
pub mod controller;
pub(crate) mod edge;
pub mod error;
pub mod exclusive;
pub mod fault_command;
pub mod faults;
pub mod gate;
pub mod growth;
pub mod history;
pub mod identity;
pub mod loops;
pub mod mounts;
pub mod node;
pub mod proto;
pub mod registration;
pub mod run;
pub mod sizes;
pub mod sockets;
pub mod staging;
pub mod stats;
pub mod sweep;
pub mod volumes;
pub mod xfs;

/// The driver's name, in CSIDriver, StorageClass.provisioner and PersistentVolume.spec.csi.driver.
pub const DRIVER: &str = "loop.csi.highwater.dev";
