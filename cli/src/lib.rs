//! `kubectl highwater`: asks the deciders' view and the API server, and prints the answer for people or for programs.
//!
//! Each command is a module: it gathers, and gives what it found to a pure function that makes the text. It writes nothing
//! to the cluster.

pub mod args;
pub mod backtest;
mod cluster;
mod doctor;
mod error;
mod human;
mod output;
mod record;
pub mod run;
mod status;
mod style;
mod table;
mod volumes;
mod watch;
mod why;
