//! `catalog.kubedb.com`.

pub mod v1alpha1;
