//! Prune: finished requests of ours beyond those that tell something.

use api::ops::v1alpha1::{Phase, PostgresOpsRequest};
use control::{
    watch::Key,
    write::{Error, Target},
};

use super::{Context, Gathered};

/// Successful requests kept for an autoscaler.
const SUCCESSFUL: usize = 10;
/// Others that have ended.
const FAILED: usize = 5;

/// Deletes what is beyond, oldest first. One that is gone already, or has changed, is left alone.
pub(super) async fn prune(context: &Context, key: &Key, gathered: &Gathered) -> Result<(), Error> {
    let (successful, failed): (Vec<_>, Vec<_>) = gathered
        .requests
        .iter()
        .filter(|(_, request)| !request.is_open())
        .partition(|(_, request)| request.phase == Phase::Successful);
    let beyond = successful
        .into_iter()
        .skip(SUCCESSFUL)
        .chain(failed.into_iter().skip(FAILED));
    for (request_key, request) in beyond {
        let target = Target {
            namespace: request_key.namespace.to_string(),
            name: request_key.name.to_string(),
            uid: request.uid.clone(),
            resource_version: None,
        };
        match context.parts.writes.delete::<PostgresOpsRequest>(&target).await {
            Ok(()) => {
                context.parts.metrics.pruned();
                tracing::info!(autoscaler = %key, request = %request_key, "pruned");
            }
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
