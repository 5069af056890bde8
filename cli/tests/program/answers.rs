//! Questions that are answered once.

use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::cluster::{cluster, run};

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_shown_without_colour_when_piped() {
    let mut tasks = JoinSet::new();
    let folder = cluster(&mut tasks).await;
    let (code, out, err) = run(folder.path(), &["status"]).await;
    assert_eq!(code, 0, "{err}");
    assert!(
        out.starts_with("NAMESPACE") && out.contains("shop") && out.contains("wiki"),
        "{out}"
    );
    assert!(!out.contains('\u{1b}'), "{out}");
    let (code, out, _) = run(folder.path(), &["volumes", "--output", "json"]).await;
    let rows: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &rows[1]["claim"]), (0, &"data-wiki-0".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_database_is_explained_in_words_or_whole() {
    let mut tasks = JoinSet::new();
    let folder = cluster(&mut tasks).await;
    let (code, out, err) = run(folder.path(), &["why", "shop"]).await;
    assert_eq!(code, 0, "{err}");
    assert!(
        out.starts_with("demo/shop: BelowThreshold\n"),
        "the namespace is the context's: {out}"
    );
    let (_, out, _) = run(folder.path(), &["why", "demo/shop", "-o", "json"]).await;
    let whole: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(whole["databases"][0]["decision"]["reason"], "BelowThreshold");
    assert_eq!(whole["replica"]["leads"], false);
    let (code, out, err) = run(folder.path(), &["why", "demo/shop", "-o", "yaml"]).await;
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("reason: BelowThreshold"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_codes_tell_what_is_missing() {
    let mut tasks = JoinSet::new();
    let folder = cluster(&mut tasks).await;
    for (arguments, code, words) in [
        (&["why", "none"][..], 4, "refused: NotFound"),
        (&["why", "No/Name"], 4, "not the name of anything"),
        (
            &["status", "--highwater-namespace", "secret"],
            3,
            "ClusterRole highwater-view",
        ),
        (
            &["status", "--highwater-namespace", "elsewhere"],
            3,
            "there is no Service highwater-view in namespace elsewhere",
        ),
        (&["status", "--kubeconfig", "/nowhere"], 3, "kubeconfig"),
        (&["statsu"], 2, "unrecognized subcommand"),
        (
            &["backtest", "--policy", "/nowhere", "--usage", "-"],
            5,
            "cannot read /nowhere",
        ),
    ] {
        let (ended, out, err) = run(folder.path(), arguments).await;
        assert_eq!(ended, code, "{arguments:?}: {out}{err}");
        assert!(err.contains(words), "{arguments:?}: {err}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn completions_need_no_cluster() {
    let folder = TempDir::new().unwrap();
    let (code, out, _) = run(folder.path(), &["completions", "bash"]).await;
    assert!(code == 0 && out.contains("backtest"), "{out}");
}
