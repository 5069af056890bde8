//! Sizes as a person reads them: rounded to MiB, unlike the exact quantities in the objects.

use e2e::volume::Space;
use units::Bytes;

/// `448 MiB`
pub(crate) fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

/// A quantity of an object, or the text itself where it is none.
pub(crate) fn quantity(text: &str) -> String {
    Bytes::parse_quantity(text).map_or_else(|_| text.to_owned(), |bytes| mebibytes(bytes.get()))
}

/// Used space in percent, as the decider computes it: the larger of used/capacity and used/(used+available).
#[allow(clippy::cast_precision_loss, reason = "a percentage to look at")]
pub(crate) fn used_percent(space: Space) -> f64 {
    let of = |whole: u64| {
        if whole == 0 {
            0.0
        } else {
            space.used as f64 * 100.0 / whole as f64
        }
    };
    of(space.capacity).max(of(space.used + space.available))
}

#[cfg(test)]
mod tests {
    use super::{mebibytes, quantity, used_percent};
    use e2e::volume::Space;

    #[test]
    fn sizes_read_well() {
        assert_eq!(mebibytes(448 << 20), "448 MiB");
        assert_eq!(quantity("805306368"), "768 MiB");
        assert_eq!(quantity("1Gi"), "1024 MiB");
        assert_eq!(quantity("lots"), "lots");
    }

    #[test]
    fn reserved_space_counts_as_used() {
        let space = Space {
            capacity: 100,
            used: 70,
            available: 10,
        };
        assert!((used_percent(space) - 87.5).abs() < 1e-9);
        assert!(
            used_percent(Space {
                capacity: 0,
                used: 0,
                available: 0
            })
            .abs()
                < 1e-9
        );
    }
}
