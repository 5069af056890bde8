//! Horizontal scaling: tables, and a model of its own world.

mod adding;
mod explore;
mod leaving;
mod others;
mod tables;
mod world;
mod writes;

use std::time::Duration;

use executor_core::{
    Request,
    request::{Operation, Scaling},
};

use crate::fixture::request;

/// To so many members; `apply: Always`, 1 s a step, no retry.
fn scaling(replicas: i32) -> Request {
    Request {
        operation: Operation::HorizontalScaling(Some(Scaling {
            replicas: Some(replicas),
            ..Scaling::default()
        })),
        timeout: Some(Duration::from_secs(1)),
        ..request()
    }
}
