//! Growing the image and its loop device: the controller's half of an expansion.

use std::time::Duration;

use tonic::Code;

use crate::{
    error::Error,
    faults::RATE_EXCEEDED,
    history, loops,
    proto::csi::v1::CapacityRange,
    sizes,
    volumes::{Volume, Volumes},
};

/// Limits that faults put on growth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Refuse while the volume is mounted.
    pub offline_only: bool,
    /// Refuse when it grew too often.
    pub rates: Vec<RateLimit>,
    /// Refuse more bytes than that.
    pub maximum: u64,
}

/// So many growths in a rolling window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimit {
    /// How many.
    pub modifications: u32,
    /// Length of the window.
    pub window: Duration,
    /// The status beyond it.
    pub code: Code,
    /// Its text; EBS's when absent.
    pub message: Option<String>,
}

/// Grows a volume to the smallest size in the range, and its loop device with it; the size it has then, in bytes.
/// Repeating it changes nothing: a volume that has the size is neither limited nor counted. Blocks.
pub fn grow(
    volumes: &Volumes,
    id: &str,
    range: Option<&CapacityRange>,
    limits: &Limits,
    now: Duration,
) -> Result<u64, Error> {
    let volume = volumes.get(id)?;
    let present = volume.size()?;
    let maximum = limits.maximum.min(volumes.maximum());
    let wanted = sizes::grown(present, range, maximum).map_err(Error::Size)?;
    if wanted > present {
        limits.admit(&volume, now)?;
        let modifications = volume.modifications();
        history::append(&modifications, now, wanted).map_err(Error::io("write", &modifications))?;
        volume.enlarge(wanted)?;
    }
    // Also without growth: the driver may have been killed between the image and the device.
    for attached in volume.loops()? {
        if attached.size < wanted {
            loops::follow(&attached.node).map_err(|source| volume.command(source))?;
        }
    }
    Ok(wanted)
}

// === impl Limits

impl Default for Limits {
    fn default() -> Self {
        Self {
            offline_only: false,
            rates: Vec::new(),
            maximum: u64::MAX,
        }
    }
}

impl Limits {
    fn admit(&self, volume: &Volume, now: Duration) -> Result<(), Error> {
        if self.offline_only && !volume.mounts()?.is_empty() {
            return Err(Error::OfflineOnly {
                id: volume.id.clone(),
            });
        }
        let modifications = volume.modifications();
        let grown = history::read(&modifications).map_err(Error::io("read", &modifications))?;
        match self
            .rates
            .iter()
            .find(|rate| !history::allows(&grown, now, rate.window, rate.modifications))
        {
            Some(rate) => Err(rate.refusal(&volume.id)),
            None => Ok(()),
        }
    }
}

impl RateLimit {
    fn refusal(&self, id: &str) -> Error {
        let message = match &self.message {
            Some(message) => message.clone(),
            None => format!("Could not resize volume {id:?}: {RATE_EXCEEDED}"),
        };
        Error::Refused {
            code: self.code,
            message,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::sizes::{MIB, MINIMUM};

    const HOUR: Duration = Duration::from_secs(3600);

    fn range(mib: u64) -> CapacityRange {
        CapacityRange {
            required_bytes: i64::try_from(mib * MIB).unwrap(),
            limit_bytes: 0,
        }
    }

    #[test]
    fn a_rate_limit_counts_real_growths_of_one_volume_and_outlives_the_driver() {
        let dir = tempfile::tempdir().unwrap();
        let open = || Volumes::open(dir.path(), 1 << 40).unwrap();
        let rate = RateLimit {
            modifications: 2,
            window: 24 * HOUR,
            code: Code::Internal,
            message: None,
        };
        let limits = Limits {
            rates: vec![rate],
            ..Limits::default()
        };
        let grow = |id, mib, now| grow(&open(), id, Some(&range(mib)), &limits, now);
        for id in ["a", "b"] {
            open().create(id, None, BTreeMap::new()).unwrap();
        }
        assert_eq!(grow("a", 301, HOUR).unwrap(), 301 * MIB);
        assert_eq!(grow("a", 301, HOUR).unwrap(), 301 * MIB, "repeated, not counted");
        assert_eq!(grow("a", 302, 2 * HOUR).unwrap(), 302 * MIB);
        let refused = grow("a", 303, 3 * HOUR).unwrap_err();
        assert!(
            refused.to_string().contains("VolumeModificationRateExceeded"),
            "{refused}"
        );
        assert_eq!(
            grow("a", 302, 3 * HOUR).unwrap(),
            302 * MIB,
            "nothing to do, not limited"
        );
        assert_eq!(grow("b", 301, 3 * HOUR).unwrap(), 301 * MIB);
        assert_eq!(
            grow("a", 303, 25 * HOUR).unwrap(),
            303 * MIB,
            "the first has left the window"
        );
    }

    #[test]
    fn a_maximum_is_reached_and_not_passed() {
        let dir = tempfile::tempdir().unwrap();
        let volumes = Volumes::open(dir.path(), 500 * MIB).unwrap();
        volumes.create("a", None, BTreeMap::new()).unwrap();
        let grow = |mib, most| {
            let limits = Limits {
                maximum: most * MIB,
                ..Limits::default()
            };
            grow(&volumes, "a", Some(&range(mib)), &limits, HOUR)
        };
        assert!(matches!(grow(401, 400), Err(Error::Size(_))));
        assert_eq!(grow(400, 400).unwrap(), 400 * MIB);
        assert!(matches!(grow(501, 600), Err(Error::Size(_))), "the driver's own");
    }

    #[test]
    fn offline_only_lets_an_unmounted_volume_grow() {
        let dir = tempfile::tempdir().unwrap();
        let volumes = Volumes::open(dir.path(), 1 << 40).unwrap();
        assert_eq!(volumes.create("a", None, BTreeMap::new()).unwrap(), MINIMUM);
        let limits = Limits {
            offline_only: true,
            ..Limits::default()
        };
        assert_eq!(
            grow(&volumes, "a", Some(&range(400)), &limits, HOUR).unwrap(),
            400 * MIB
        );
        assert!(matches!(
            grow(&volumes, "b", None, &limits, HOUR),
            Err(Error::NoVolume { .. })
        ));
    }
}
