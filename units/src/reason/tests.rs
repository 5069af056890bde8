use super::Reason;

#[test]
fn words_are_unique_and_fit_kubernetes_reasons() {
    let mut words: Vec<_> = Reason::ALL.iter().map(|r| r.as_str()).collect();
    assert!(
        words
            .iter()
            .all(|w| w.len() <= 128 && w.chars().all(char::is_alphanumeric)),
        "{words:?}"
    );
    for reason in Reason::ALL {
        assert_eq!(Reason::of_word(reason.as_str()), Some(*reason));
    }
    assert_eq!(Reason::of_word("Unheard"), None);
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), Reason::ALL.len());
}
