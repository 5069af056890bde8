//! `kubedb.com`.

pub mod v1;
