//! The Helm chart against a real API server: what it refuses, what it leaves alone, and what its roles allow. That its pods run is
//! for the end-to-end tests.

mod alongside;
mod crds;
mod rights;
mod tools;
