//! The device that a filesystem is on.

use std::num::NonZero;

/// Bits of a minor number; a major one has the other twelve.
const MINOR_BITS: u32 = 20;
const MOST_MAJOR: u32 = u32::MAX >> MINOR_BITS;
const MOST_MINOR: u32 = (1 << MINOR_BITS) - 1;

/// A superblock's device as the kernel counts them: one for each filesystem of a node, also for those on none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Device(NonZero<u32>);

impl Device {
    /// From mountinfo's `major:minor`; none if it is not that, or 0:0, which is no filesystem's.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once(':')?;
        let (major, minor): (u32, u32) = (major.parse().ok()?, minor.parse().ok()?);
        if major > MOST_MAJOR || minor > MOST_MINOR {
            return None;
        }
        NonZero::new((major << MINOR_BITS) | minor).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::Device;

    #[test]
    fn devices_are_told_apart_and_what_is_none_is_not_known() {
        let known = ["8:0", "0:8", "8:1", "259:0", "0:1048575", "1:0", "4095:1048575"];
        for (place, text) in known.iter().enumerate() {
            let device = Device::read(text);
            assert!(device.is_some(), "{text}");
            let same = known.iter().position(|other| Device::read(other) == device);
            assert_eq!(same, Some(place), "{text}");
        }
        for text in [
            "",
            "8",
            "8:",
            ":8",
            "0:0",
            "a:b",
            "8:0:1",
            "-1:0",
            "4096:0",
            "0:1048576",
            "8: 0",
        ] {
            assert_eq!(Device::read(text), None, "{text:?}");
        }
    }
}
