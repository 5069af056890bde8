//! The definitions and the warnings on a real API server: what is accepted, what is refused and with which words.

mod fixtures;
mod request;
mod server;
mod table;
