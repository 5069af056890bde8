//! Writes that go to members, not to the API server: Patroni's settings, who leads, replication slots.
//!
//! No resourceVersion fences them. Patroni itself refuses a switchover whose leader does not lead, a setting is the
//! same however often it is written, and a slot in use cannot be dropped.

use std::sync::Arc;

use control::leader::Leader;
use executor_core::{
    ConfigChange, Step,
    observed::{Answer, Trouble},
};
use serde_json::{Value, json};
use units::Reason;

use crate::{
    error::Error,
    member::{Credentials, Endpoint, Reach},
    observe::Members,
};

/// Carries out a step that goes to members.
pub(super) async fn perform(
    reach: &Arc<dyn Reach>,
    leader: &Leader,
    members: &Members,
    step: &Step,
) -> Result<(), Error> {
    let Credentials { postgres, patroni } = credentials(members)?;
    let Some(_permit) = leader.permit() else {
        return Err(Error::NotLeading);
    };
    let done = match step {
        Step::PatchConfig(change) => {
            let at = speaker(members)?;
            reach.configure(&at, patroni, settings(*change)).await
        }
        Step::Switchover { leader, candidate } => {
            let at = members.endpoint(leader).ok_or(Error::NotObserved("the leader"))?;
            reach.switchover(&at, patroni, leader, candidate).await
        }
        Step::DropSlot { member, slot } => {
            let at = members.endpoint(member).ok_or(Error::NotObserved("the member"))?;
            reach.drop_slot(&at, postgres, slot).await
        }
        _ => Ok(()),
    };
    done.map_err(|trouble| Error::Member(Box::new(trouble)))
}

fn credentials(members: &Members) -> Result<&Credentials, Error> {
    match &members.credentials {
        Answer::Says(credentials) => Ok(credentials),
        Answer::Silent(trouble) => Err(Error::Member(Box::new(trouble.clone()))),
        Answer::NotAsked => Err(Error::NotObserved("the credentials")),
    }
}

fn speaker(members: &Members) -> Result<Endpoint, Error> {
    members.speaker().ok_or_else(|| {
        Error::Member(Box::new(Trouble {
            reason: Reason::PatroniNotAnswering,
            message: "no member has a pod with an address".to_owned(),
        }))
    })
}

/// Patroni merges; `null` takes a setting away.
fn settings(change: ConfigChange) -> Value {
    match change {
        ConfigChange::DropSlotsAtOnce => json!({ "member_slots_ttl": 0 }),
        ConfigChange::KeepSlots => json!({ "member_slots_ttl": null }),
        ConfigChange::Synchronous(on) => json!({ "synchronous_mode": on }),
    }
}
