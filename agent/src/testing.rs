//! Values that several tests begin with.

use std::{path::PathBuf, sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::{
    mounts::Device,
    statfs::Usage,
    sweeper::{Failure, Measurement, Observation},
    volumes::Volume,
};

pub(crate) const GIB: u64 = 1 << 30;

pub(crate) fn seconds(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

/// A volume named `pv` on a device of its own.
pub(crate) fn volume(pv: &str, fs_type: &str) -> Volume {
    let minor = pv.bytes().fold(7, |hash: u32, byte| {
        hash.wrapping_mul(31).wrapping_add(u32::from(byte))
    });
    Volume {
        pv: pv.to_owned(),
        pod_uid: format!("pod-of-{pv}"),
        device: Device { major: 7, minor },
        fs_type: fs_type.to_owned(),
        path: PathBuf::from(format!(
            "/k/pods/pod-of-{pv}/volumes/kubernetes.io~csi/{pv}/mount"
        )),
        read_only: false,
        mount_id: 1,
    }
}

/// Numbers of a filesystem of 10 GiB.
pub(crate) fn usage(used: u64) -> Usage {
    let capacity = 10 * GIB;
    Usage {
        capacity,
        available: capacity - used,
        used,
        inodes_total: 1000,
        inodes_free: 900,
        read_only: false,
    }
}

/// `pv` measured at second `at`.
pub(crate) fn observed(pv: &str, at: i64, used: u64) -> Observation {
    Observation {
        volume: Arc::new(volume(pv, "xfs")),
        last: Some(Measurement {
            at: seconds(at),
            took: Duration::ZERO,
            usage: usage(used),
        }),
        failure: None,
        hot: false,
    }
}

pub(crate) fn stuck(seen: Observation, failure: Failure) -> Observation {
    Observation {
        failure: Some(failure),
        ..seen
    }
}
