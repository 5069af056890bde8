//! A csi-resizer is seen by the Lease it renews.

use e2e::{World, driver};
use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, api::DeleteParams};

use crate::ask::Doctor;

const LEASE: &str = "external-resizer-loop-csi-highwater-dev";

/// The cluster's resizer runs without leader election: it has no Lease. Another one beside it has, as long as it lives.
pub(crate) async fn are_seen_by_their_lease(world: &World) -> anyhow::Result<()> {
    let doctor = Doctor::of(world);
    let never = format!("no csi-resizer of loop.csi.highwater.dev is seen: there is no Lease {LEASE}");
    doctor.says(&("resizers", "Warning", &never)).await?;
    let seen_and_gone = async {
        let elected = driver::elected_resizer(world)?;
        doctor
            .says(&("resizers", "Ok", "one for each of 1 drivers"))
            .await?;
        drop(elected); // killed, it does not give its Lease back
        let expired = format!("has let its Lease {LEASE} expire");
        doctor.says(&("resizers", "Warning", &expired)).await
    };
    let outcome = seen_and_gone.await;
    let leases: Api<Lease> = Api::namespaced(world.client.clone(), "highwater");
    let removed = leases.delete(LEASE, &DeleteParams::default()).await;
    outcome?;
    removed?;
    Ok(())
}
