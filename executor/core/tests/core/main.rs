//! The core's tests: tables for every state and cause, and a model of the world in which every interleaving of a small
//! run is tried.

mod causes;
mod checks;
mod explore;
mod fixture;
mod model;
mod queue;
mod states;
