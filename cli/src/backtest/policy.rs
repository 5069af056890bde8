//! The policy of a replay: a PostgresAutoscaler as the decider reads it, and the profile of a driver.

use std::{path::Path, time::Duration};

use api::autoscaling::v1alpha1::PostgresAutoscaler;
use control::watch::{Shared, Words};
use decider::{objects::Autoscaler, profiles};
use decider_core::{Limits, Mode, Policy, Profile};

use crate::error::Error;

/// What --policy names.
pub(super) const WANTED: &str =
    "the PostgresAutoscaler of --policy, as `kubectl get postgresautoscaler NAME -o yaml` prints it";

/// What was measured holds until the next measurement, however far apart they are.
const NEVER_STALE: Duration = Duration::from_secs(100 * 365 * 86_400);

/// What decisions of a replay are made by.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) policy: Policy,
    pub(super) profile: Profile,
    /// The profile is that of a driver that was named: what the recording knows of another is not to be used.
    pub(super) of_driver: bool,
}

/// Reads an autoscaler from its manifest. Its shadow mode is left out: a replay does nothing either way.
pub(super) fn read(path: &Path, text: &str, provisioner: Option<&str>) -> Result<Rules, Error> {
    let wrong = |problem: String| Error::Contents {
        path: path.to_owned(),
        problem,
    };
    let mut object: PostgresAutoscaler =
        serde_saphyr::from_str(text).map_err(|e| wrong(format!("not {WANTED}: {e}")))?;
    if object.spec.data_storage().is_none() {
        return Err(wrong(
            "spec.storage.postgres is absent: there is no policy to replay".into(),
        ));
    }
    // A manifest has neither; only what a cluster returns does.
    object.metadata.uid.get_or_insert_with(|| "manifest".into());
    object.metadata.resource_version.get_or_insert_with(|| "0".into());
    let autoscaler = Autoscaler::of(object, &mut Shared::default(), &Words::default())
        .ok_or_else(|| wrong("it has no uid".into()))?;
    let policy = Policy {
        mode: Mode::Live,
        ..Policy::read(&autoscaler.policy, NEVER_STALE)
    };
    let _: &Limits = policy.limits.as_ref().map_err(|error| wrong(error.to_string()))?;
    let profile = match provisioner {
        None => Profile::default(),
        Some(provisioner) => profiles::built_in_of(provisioner).ok_or_else(|| Error::Contents {
            path: path.to_owned(),
            problem: format!(
                "no profile of driver {provisioner} is built in; leave --provisioner out for the default one"
            ),
        })?,
    };
    Ok(Rules {
        policy,
        profile,
        of_driver: provisioner.is_some(),
    })
}
