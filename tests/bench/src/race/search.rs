//! The search for the highest rate that is survived.

/// The highest of `rates`, which rise, that is survived; `None` if none is.
///
/// The highest is tried first: where volumes are large and expansions quick, it is the answer, and each lower rate takes longer
/// to fill a volume with. Otherwise the open ones are tried at two thirds, since higher rates take less time; who loses a rate
/// is taken to lose each higher one.
///
/// # Errors
/// What `survives` cannot tell.
pub(super) async fn highest(
    rates: &[u64],
    mut survives: impl AsyncFnMut(u64) -> anyhow::Result<bool>,
) -> anyhow::Result<Option<u64>> {
    let Some((top, mut open)) = rates.split_last() else {
        return Ok(None);
    };
    if survives(*top).await? {
        return Ok(Some(*top));
    }
    let mut survived = None;
    while let Some(tried) = open.get(open.len() * 2 / 3) {
        let (lower, higher) = open.split_at(open.len() * 2 / 3);
        if survives(*tried).await? {
            survived = Some(*tried);
            open = higher.get(1..).unwrap_or_default();
        } else {
            open = lower;
        }
    }
    Ok(survived)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whatever_the_limit_is_it_is_found_with_few_tries() {
        let rates = [5, 10, 20, 40, 60, 80, 120, 160, 240, 320, 400, 480];
        for limit in [0, 4, 5, 9, 10, 60, 79, 80, 239, 240, 400, 479, 480, 1_000] {
            let mut tried = Vec::new();
            let found = highest(&rates, async |rate| {
                tried.push(rate);
                Ok(rate <= limit)
            });
            let found = found.await.unwrap();
            assert_eq!(
                found,
                rates.iter().rev().find(|r| **r <= limit).copied(),
                "{limit}"
            );
            assert!(tried.len() <= 6, "{limit}: {tried:?}");
            let once = tried.iter().collect::<std::collections::BTreeSet<_>>().len();
            assert_eq!(once, tried.len(), "{limit}: {tried:?}");
        }
    }

    #[tokio::test]
    async fn without_rates_none_is_tried() {
        let found = highest(&[], async |_| anyhow::bail!("nothing to try"));
        assert_eq!(found.await.unwrap(), None);
    }
}
