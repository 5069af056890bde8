//! Which size a volume gets. Pure.
//!
//! Sizes are whole MiB. A caller's range is `required_bytes`, at least so many, and `limit_bytes`, at most so many;
//! zero means not given.

use thiserror::Error;

use crate::proto::csi::v1::CapacityRange;

/// One MiB, the unit sizes are rounded up to.
pub const MIB: u64 = 1 << 20;

/// The smallest volume: mkfs.xfs refuses filesystems below 300 MB, since they get too few allocation groups and too
/// small a log.
pub const MINIMUM: u64 = 300 * MIB;

/// Why no size fits.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SizeError {
    /// A size below zero.
    #[error("a size is negative")]
    Negative,
    /// Growth without a size.
    #[error("capacity_range.required_bytes is required")]
    NotGiven,
    /// More than the driver makes.
    #[error("{wanted} bytes are more than the largest volume, {maximum}")]
    AboveMaximum {
        /// The size asked, rounded up.
        wanted: u64,
        /// The largest size.
        maximum: u64,
    },
    /// Rounded up, more than the caller takes.
    #[error("{wanted} bytes, the smallest size that does, are more than limit_bytes, {limit}")]
    AboveLimit {
        /// The size asked, rounded up.
        wanted: u64,
        /// The caller's limit.
        limit: u64,
    },
    /// The volume is bigger than the caller takes, and never gets smaller.
    #[error("the volume has {present} bytes and never shrinks, limit_bytes is {limit}")]
    Shrink {
        /// The volume's size.
        present: u64,
        /// The caller's limit.
        limit: u64,
    },
}

/// The size of a new volume.
pub fn created(range: Option<&CapacityRange>, maximum: u64) -> Result<u64, SizeError> {
    let (required, limit) = bounds(range)?;
    smallest(required, limit, maximum)
}

/// Whether a volume of this size is one that was asked for.
pub fn fits(present: u64, range: Option<&CapacityRange>) -> Result<bool, SizeError> {
    let (required, limit) = bounds(range)?;
    Ok(present >= required && limit.is_none_or(|limit| present <= limit))
}

/// The size after growth: the present one when that is enough. Never less than the present one: a caller that asks for
/// less gets what there is, as the specification wants (a lost answer must not block a later, smaller request), and one
/// that takes less only is refused.
pub fn grown(present: u64, range: Option<&CapacityRange>, maximum: u64) -> Result<u64, SizeError> {
    let (required, limit) = bounds(range)?;
    if required == 0 {
        return Err(SizeError::NotGiven);
    }
    match limit {
        Some(limit) if limit < present => Err(SizeError::Shrink { present, limit }),
        _ if required <= present => Ok(present),
        limit => smallest(required, limit, maximum),
    }
}

fn smallest(required: u64, limit: Option<u64>, maximum: u64) -> Result<u64, SizeError> {
    // Cannot overflow: both are at most i64::MAX.
    let wanted = required.max(MINIMUM).next_multiple_of(MIB);
    if wanted > maximum {
        return Err(SizeError::AboveMaximum { wanted, maximum });
    }
    match limit {
        Some(limit) if wanted > limit => Err(SizeError::AboveLimit { wanted, limit }),
        _ => Ok(wanted),
    }
}

fn bounds(range: Option<&CapacityRange>) -> Result<(u64, Option<u64>), SizeError> {
    let range = range.copied().unwrap_or_default();
    let required = u64::try_from(range.required_bytes).map_err(|_| SizeError::Negative)?;
    let limit = u64::try_from(range.limit_bytes).map_err(|_| SizeError::Negative)?;
    Ok((required, (limit > 0).then_some(limit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;
    const MAXIMUM: u64 = 4 * GIB;

    fn range(required_bytes: u64, limit_bytes: u64) -> CapacityRange {
        let whole = |bytes| i64::try_from(bytes).unwrap();
        CapacityRange {
            required_bytes: whole(required_bytes),
            limit_bytes: whole(limit_bytes),
        }
    }

    #[test]
    fn new_sizes_are_whole_mib_within_the_bounds() {
        let cases = [
            ((0, 0), Ok(MINIMUM)),
            ((1, 0), Ok(MINIMUM)),
            ((MINIMUM + 1, 0), Ok(MINIMUM + MIB)),
            ((GIB, 0), Ok(GIB)),
            ((GIB, GIB), Ok(GIB)),
            ((0, GIB), Ok(MINIMUM)),
            (
                (GIB - 1, GIB - 1),
                Err(SizeError::AboveLimit {
                    wanted: GIB,
                    limit: GIB - 1,
                }),
            ),
            (
                (1, 2),
                Err(SizeError::AboveLimit {
                    wanted: MINIMUM,
                    limit: 2,
                }),
            ),
            ((MAXIMUM, 0), Ok(MAXIMUM)),
            (
                (MAXIMUM + 1, 0),
                Err(SizeError::AboveMaximum {
                    wanted: MAXIMUM + MIB,
                    maximum: MAXIMUM,
                }),
            ),
        ];
        for ((required, limit), expected) in cases {
            assert_eq!(
                created(Some(&range(required, limit)), MAXIMUM),
                expected,
                "{required} {limit}"
            );
        }
        assert_eq!(created(None, MAXIMUM), Ok(MINIMUM));
    }

    #[test]
    fn the_largest_number_of_the_wire_is_refused_without_overflow() {
        let huge = CapacityRange {
            required_bytes: i64::MAX,
            limit_bytes: 0,
        };
        assert!(matches!(
            created(Some(&huge), MAXIMUM),
            Err(SizeError::AboveMaximum { .. })
        ));
        assert!(matches!(
            grown(GIB, Some(&huge), MAXIMUM),
            Err(SizeError::AboveMaximum { .. })
        ));
    }

    #[test]
    fn negative_sizes_are_refused() {
        for (required_bytes, limit_bytes) in [(-1, 0), (0, -1), (i64::MIN, i64::MIN)] {
            let range = CapacityRange {
                required_bytes,
                limit_bytes,
            };
            assert_eq!(created(Some(&range), MAXIMUM), Err(SizeError::Negative));
            assert_eq!(grown(GIB, Some(&range), MAXIMUM), Err(SizeError::Negative));
            assert_eq!(fits(GIB, Some(&range)), Err(SizeError::Negative));
        }
    }

    #[test]
    fn growth_never_shrinks_and_may_be_repeated() {
        let cases = [
            ((2 * GIB, 0), Ok(2 * GIB)),
            ((GIB + 1, 0), Ok(GIB + MIB)),
            ((GIB, 0), Ok(GIB)),
            ((GIB, GIB), Ok(GIB)),
            ((MINIMUM, 0), Ok(GIB)),
            (
                (MINIMUM, MINIMUM),
                Err(SizeError::Shrink {
                    present: GIB,
                    limit: MINIMUM,
                }),
            ),
            (
                (GIB + 1, GIB + 1),
                Err(SizeError::AboveLimit {
                    wanted: GIB + MIB,
                    limit: GIB + 1,
                }),
            ),
            (
                (MAXIMUM + 1, 0),
                Err(SizeError::AboveMaximum {
                    wanted: MAXIMUM + MIB,
                    maximum: MAXIMUM,
                }),
            ),
            ((0, 0), Err(SizeError::NotGiven)),
            ((0, 2 * GIB), Err(SizeError::NotGiven)),
        ];
        for ((required, limit), expected) in cases {
            assert_eq!(
                grown(GIB, Some(&range(required, limit)), MAXIMUM),
                expected,
                "{required} {limit}"
            );
        }
        assert_eq!(grown(GIB, None, MAXIMUM), Err(SizeError::NotGiven));
    }

    #[test]
    fn a_name_fits_only_sizes_within_the_range() {
        assert_eq!(fits(GIB, None), Ok(true));
        assert_eq!(fits(GIB, Some(&range(GIB, 0))), Ok(true));
        assert_eq!(fits(GIB, Some(&range(GIB + 1, 0))), Ok(false));
        assert_eq!(fits(GIB, Some(&range(1, GIB - 1))), Ok(false));
    }
}
