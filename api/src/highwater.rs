//! `highwater.dev`: what is ours alone.

pub mod v1alpha1;
