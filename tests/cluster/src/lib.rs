//! A whole Kubernetes on one machine, without Docker and without a registry, for tests, the demo and development: etcd, API
//! server, controller manager, scheduler, kubelet, containerd, DNS, proxy, and storage that is really limited and really grows.
//!
//! It is no product code and nothing of it is in a product image. It is synchronous (it starts programs and waits for them), and its
//! errors are `anyhow`: they are told to a person, never matched on. What it makes it writes down first ([`ledger`]), so that
//! [`down`] can remove everything after any kind of death, and nothing else.

pub mod apiserver;
pub mod binaries;
mod certificates;
mod control_plane;
mod kubeconfig;
mod logs;
pub mod packages;
pub mod places;
mod ports;
mod watcher;
