//! Which node a stream speaks for.

use tonic::{Status, metadata::MetadataMap};

/// Decides which node a stream speaks for. The seam for token authentication: an implementation that reviews
/// the bearer token takes the node from its claims and refuses a Hello that says otherwise.
pub trait NodeCheck: Send + Sync + 'static {
    /// The node, given the call's metadata and what the Hello says.
    ///
    /// # Errors
    /// If the caller may not speak for it.
    fn node(&self, metadata: &MetadataMap, said: &str) -> Result<String, Status>;
}

/// Believes the Hello: for tests, and where the network is trusted.
#[derive(Debug, Clone, Copy, Default)]
pub struct AsSaid;

impl NodeCheck for AsSaid {
    fn node(&self, _: &MetadataMap, said: &str) -> Result<String, Status> {
        Ok(said.to_owned())
    }
}
