//! `apps.k8s.appscode.com`.

pub mod v1;
