//! How Highwater's controllers meet the API server: client, lease, Events, watches, writes, queue.
//!
//! Everything here serves any controller; it knows none of our kinds and decides nothing. Reading goes through
//! [`watch`] (small projections kept in memory), writing through [`write::Fenced`] (leader only, and only what
//! has not changed since it was read), telling through [`events`]. What to do next comes from [`queue`], and how
//! long to wait after a failure from [`backoff`] and [`retry::RetryClass`]. A process begins with [`process`].

pub mod backoff;
pub mod client;
pub mod events;
pub mod leader;
pub mod process;
pub mod queue;
pub mod retry;
pub mod stop;
pub mod watch;
pub mod whole;
pub mod write;
