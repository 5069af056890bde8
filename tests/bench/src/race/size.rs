//! Sizes that volumes of the race can have.

/// Size of a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// As a claim has it.
    pub(super) text: &'static str,
    pub(super) gib: u64,
}

/// Reads a size.
///
/// # Errors
/// When it is none of those a volume is made for.
pub(super) fn read(text: &str) -> Result<Size, String> {
    let sizes = [
        ("1Gi", 1),
        ("2Gi", 2),
        ("3Gi", 3),
        ("5Gi", 5),
        ("10Gi", 10),
        ("20Gi", 20),
    ];
    let found = sizes.into_iter().find(|(known, _)| *known == text);
    found
        .map(|(text, gib)| Size { text, gib })
        .ok_or_else(|| "1Gi, 2Gi, 3Gi, 5Gi, 10Gi or 20Gi".to_owned())
}
