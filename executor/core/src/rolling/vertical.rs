//! Other resources: what may be asked for, the PetSet's pod template, and the way back.

use units::{Quantity, Reason};

use crate::{
    checks::Obstacle,
    lines,
    observed::{Member, Observed, Target},
    pause,
    request::{MemberStage, Operation, Request, Resources, Vertical, VerticalMode},
    step::Step,
    turns,
};

/// The resources asked for; none for a restart.
pub(super) fn wanted(request: &Request) -> Option<&Resources> {
    match &request.operation {
        Operation::VerticalScaling(section) => section.as_ref()?.postgres.as_ref(),
        _ => None,
    }
}

/// What the request alone shows.
pub(super) fn spec(section: Option<&Vertical>) -> Result<(), Obstacle> {
    let refuse = |reason, text: &str| Err(Obstacle::Refuse(reason, text.to_owned()));
    let Some(section) = section else {
        return refuse(
            Reason::InvalidRequest,
            "`spec.verticalScaling` nil not supported in VerticalScaling type",
        );
    };
    if section.read_replicas {
        let text = "not supported by Highwater: spec.verticalScaling.readReplicas";
        return refuse(Reason::NotSupported, text);
    }
    if let VerticalMode::Other(mode) = &section.mode {
        let text = format!("spec.verticalScaling.mode {mode:?} is neither Restart nor InPlace");
        return refuse(Reason::InvalidRequest, &text);
    }
    match &section.postgres {
        Some(resources) if !resources.is_empty() => sound(resources),
        _ => refuse(
            Reason::InvalidRequest,
            "spec.verticalScaling.postgres.resources is missing",
        ),
    }
}

/// Every quantity is one, and nothing is reserved beyond its limit: the API server would refuse the pods.
fn sound(resources: &Resources) -> Result<(), Obstacle> {
    let refuse = |text: String| Err(Obstacle::Refuse(Reason::InvalidRequest, text));
    for (place, list) in [("requests", &resources.requests), ("limits", &resources.limits)] {
        for (name, text) in list {
            let field = format!("spec.verticalScaling.postgres.resources.{place}.{name}");
            match Quantity::parse(text) {
                Err(error) => return refuse(format!("{field} {text}: {error}")),
                Ok(quantity) if quantity.signum() < 0 => return refuse(format!("{field} {text} is below 0")),
                Ok(_) => {}
            }
        }
    }
    let above = resources.requests.iter().find(|(name, request)| {
        let limit = resources.limits.get(*name).map(|limit| Quantity::parse(limit));
        matches!((Quantity::parse(request), limit), (Ok(request), Some(Ok(limit))) if request > limit)
    });
    match above {
        Some((name, request)) => refuse(format!(
            "spec.verticalScaling.postgres.resources.requests.{name} {request} is above its limit"
        )),
        None => Ok(()),
    }
}

/// The pod template gets the resources before any pod does.
pub(super) fn template(request: &Request, seen: &Observed) -> Option<Step> {
    let wanted = wanted(request)?;
    let set = seen.petset.as_ref()?;
    (!set.resources.same(wanted)).then(|| Step::PatchTemplateResources { to: wanted.clone() })
}

/// The run has failed before every member has the new resources: pods to come have the old ones again, and a pod that cannot
/// run with the new ones is made anew. Members that run with the new ones keep them until they are next replaced.
pub(super) fn take_back(request: &Request, seen: &Observed) -> Option<Step> {
    let wanted = wanted(request).filter(|_| pause::is_mine(request, seen))?;
    let set = seen.petset.as_ref()?;
    if request.record.is_true(Reason::VerticalScaling) || seen.refusals.contains_key(&Target::PetSet) {
        return None;
    }
    if set.resources.same(wanted) {
        let before = set.resources_before.as_ref();
        let before = before.filter(|before| !before.same(wanted))?.clone();
        return Some(Step::PatchTemplateResources { to: before });
    }
    // What the template says now would not give a pod all that is wanted: one that has it was made before.
    let made_before = !set.resources.hold(wanted);
    let cannot_run = |member: &&Member| {
        let pod = turns::live(member).filter(|pod| !pod.running);
        let replaced = lines::is_at(request, member.ordinal, MemberStage::Replacing);
        replaced && made_before && pod.is_some_and(|pod| pod.resources.hold(wanted))
    };
    let refused = |member: &&Member| seen.refusals.contains_key(&Target::Pod(member.name.clone()));
    let member = turns::members(seen)
        .filter(|member| !refused(member))
        .find(cannot_run)?;
    Some(Step::DeletePod {
        pod: member.name.clone(),
        uid: member.pod.as_ref()?.uid.clone(),
    })
}
