//! What a driver's refusal means is in its words: the status of a claim and what is allocated to it look the same for a size
//! that cannot be had and for one that is to be had only offline.

use executor_core::{
    observed::{Complaint, Resize},
    step,
};
use units::Reason;

use crate::{
    causes::{complaint, event, with},
    fixture::*,
};

const AZURE: &str = "rpc error: code = Internal desc = failed to resize disk(/subscriptions/s/resourceGroups/g/providers/\
                     Microsoft.Compute/disks/pvc-1) with error(azureDisk - disk resize is only supported on Unattached \
                     disk, current disk state: Attached, already attached to /subscriptions/s/virtualMachines/0)";
const PUBLISHED: &str = "rpc error: code = FailedPrecondition desc = volume is published on node-1";
const RESIZER: &str = "Unable to expand demo/data-pg-0 because CSI driver X only supports offline expansion and volume is \
                       currently in-use";
const TOO_LARGE: &str = "rpc error: code = OutOfRange desc = 20Gi is more than this class of volumes has";
const INVALID: &str = "rpc error: code = InvalidArgument desc = size must be a multiple of 8 GiB";

/// The first claim, its resize called this by its status, and refused with these words.
fn refused(status: Resize, words: &str) -> executor_core::Observed {
    with(|claim| {
        claim.resize = Some(status);
        claim.controller_error = Some(Complaint {
            message: words.into(),
            at: Some(at(5)),
        });
    })
}

#[test]
fn trap_16_offline_is_needed_whatever_the_status_says() {
    for words in [AZURE, PUBLISHED, RESIZER] {
        for status in [Resize::ControllerInProgress, Resize::ControllerInfeasible] {
            let mut request = begun();
            request.max_retries = 5;
            assert_fails(&step(&request, &refused(status, words), at(5)), Reason::InUse);
        }
    }
}

#[test]
fn trap_16_a_smaller_size_is_needed_where_the_driver_refuses_this_one() {
    for words in [TOO_LARGE, INVALID] {
        let seen = refused(Resize::ControllerInfeasible, words);
        assert_fails(&step(&begun(), &seen, at(5)), Reason::Infeasible);
    }
}

/// As drivers print them. Where: each driver's repository.
#[test]
fn the_words_of_drivers_are_understood() {
    let table = [
        // topolvm: internal/lvmd/lvservice.go, of a new volume and of one that grows
        (
            "code = ResourceExhausted desc = no enough space left on VG: free=4194304, requested=52428800",
            Reason::PoolFull,
        ),
        (
            "code = ResourceExhausted desc = not enough space left on VG: free=4194304, requested=52428800",
            Reason::PoolFull,
        ),
        (
            "code = ResourceExhausted desc = volume group vg0 does not have enough free space",
            Reason::PoolFull,
        ),
        (
            "code = ResourceExhausted desc = not enough API calls left in this minute",
            Reason::RateLimited,
        ),
        (
            "code = Internal desc = not enough replicas are healthy",
            Reason::DriverError,
        ),
        (
            "code = Internal desc = not enough permissions in namespace longhorn-system for pd.csi.storage.gke.io",
            Reason::DriverError,
        ),
        // csi-driver-host-path: pull request 331
        (
            "code = ResourceExhausted desc = requested capacity 53687091200 exceeds remaining capacity for \"fast\"",
            Reason::PoolFull,
        ),
        // azurefile-csi-driver: issue 1345
        (
            "StatusCode=429 -- Service returned an error. Code=\"TooManyRequests\"",
            Reason::RateLimited,
        ),
        // aws-ebs-csi-driver: issue 1148, and pkg/cloud/cloud.go
        (
            "api error RequestLimitExceeded: Request limit exceeded.",
            Reason::RateLimited,
        ),
        (
            "api error VolumeModificationRateExceeded: You've reached the maximum modification rate per volume limit.",
            Reason::RateLimited,
        ),
        (
            "api error VolumeLimitExceeded: You have exceeded your gp3 storage limit",
            Reason::DriverError,
        ),
    ];
    for (words, reason) in table {
        let seen = with(|claim| claim.controller_error = complaint(words, 5));
        let note = step(&begun(), &seen, at(40));
        assert_eq!(
            sets(&note, Reason::VolumeExpansion),
            Some((false, reason.to_string())),
            "{words}"
        );
    }
}

#[test]
fn the_resizers_own_words_for_in_use_are_understood_from_an_event() {
    let seen = with(|claim| claim.events = vec![event("VolumeResizeFailed", RESIZER)]);
    assert_fails(&step(&begun(), &seen, at(5)), Reason::InUse);
}
