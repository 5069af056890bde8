//! A whole Kubernetes on one machine, without Docker and without a registry, for tests, the demo and development: etcd, API
//! server, controller manager, scheduler, kubelet, containerd, DNS, proxy, and storage that is really limited and really grows.
//!
//! It is no product code and nothing of it is in a product image. It is synchronous (it starts programs and waits for them), and its
//! errors are `anyhow`: they are told to a person, never matched on. What it makes outside its folder carries the folder's name or
//! is written down first, so that [`down`](down::down) can remove everything after any kind of death, and nothing else.

pub mod apiserver;
pub mod args;
pub mod binaries;
mod certificates;
pub mod components;
mod configs;
mod control_groups;
mod control_plane;
pub mod down;
pub mod image;
pub mod images;
mod kubeconfig;
mod ledger;
mod lock;
mod logs;
mod mounts;
pub mod network;
pub mod packages;
pub mod places;
mod ports;
pub mod processes;
pub mod run;
pub mod state;
mod tar;
pub mod up;
mod watcher;
