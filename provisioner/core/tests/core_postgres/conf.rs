use proptest::prelude::*;
use provisioner_core::postgres::conf::parse;

#[test]
fn a_file_is_read_as_postgresql_reads_it() {
    let (all, left_out) = parse(
        "# comment\n\nmax_connections = 77 # more\nWork_Mem '8MB'\narchive_command='cp %p ''/a b''/%f'\nlog_line_prefix = '\\t%m'\n\
         shared_preload_libraries='a,b'\n  pg_stat_statements.max = 5\nmax_connections=78\n",
    );
    assert_eq!(left_out, Vec::<String>::new());
    let expected = [
        ("archive_command", "cp %p '/a b'/%f"),
        ("log_line_prefix", "\t%m"),
        ("max_connections", "78"),
        ("pg_stat_statements.max", "5"),
        ("shared_preload_libraries", "a,b"),
        ("work_mem", "8MB"),
    ];
    let found: Vec<_> = all
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn a_line_that_cannot_be_used_is_told_and_the_others_are_used() {
    for (line, words) in [
        ("include 'more.conf'", "include"),
        ("include_dir = 'x'", "include_dir"),
        ("port = 1", "port is set by Highwater"),
        ("work_mem", "value is missing"),
        ("work_mem = ", "value is missing"),
        ("work_mem = 8 MB", "needs quotes"),
        ("work_mem = '8MB", "closing quote is missing"),
        ("work_mem = '8MB' 9", "follows the closing quote"),
        ("= 3", "no setting"),
        ("work_mem = '8\\", "closing quote is missing"),
    ] {
        let (all, left_out) = parse(&format!("a = 1\n{line}\nb = 2"));
        assert_eq!(all.len(), 2, "{line}");
        assert_eq!(left_out.len(), 1, "{line}");
        assert!(
            left_out[0].starts_with("line 2: ") && left_out[0].contains(words),
            "{left_out:?}"
        );
    }
}

proptest! {
    #[test]
    fn any_text_is_read(text in ".*") {
        let lines = text.lines().count();
        let (all, left_out) = parse(&text);
        prop_assert!(all.len() + left_out.len() <= lines);
    }

    #[test]
    fn any_value_in_quotes_comes_out(value in "[^\\\\\n\r]*") {
        let (all, left_out) = parse(&format!("x = '{}'", value.replace('\'', "''")));
        prop_assert!(left_out.is_empty());
        prop_assert_eq!(&all["x"], &value);
    }
}
