//! How Highwater's controllers meet a running database from outside its pods: Patroni's REST API and SQL. It decides nothing.
//!
//! Every call ends within the time its caller gives, and starts no task: the connection is driven together with the question and
//! closed with it, so that dropping the future cancels everything.

mod lsn;
pub mod patroni;
pub mod sql;

pub use lsn::{Lsn, LsnError};

/// The most of an answer's text that an error keeps, in characters: it ends in a condition's message.
const TEXT_LIMIT: usize = 500;

/// A foreign text as one bounded line.
fn one_line(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ").chars().take(TEXT_LIMIT).collect()
}
