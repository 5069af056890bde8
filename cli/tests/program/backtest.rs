//! `backtest`, which needs no cluster.

use std::{fmt::Write as _, fs};

use serde_json::Value;
use tempfile::TempDir;

use crate::cluster::{Ended, run};

/// Tenths of a GiB in use on a volume of 10 GiB, hour by hour. EBS allows four modifications in 24 hours, of which the built-in
/// profile keeps one for emergencies. 8.5, 11 and 13.5 GiB are above 80 % of 10, 13 and 16 GiB: three growths, to 20 GiB. 17 GiB are
/// held back, twice, with less than 80 % between; 19.5 GiB are 97 % and take the last one, to 27 GiB. 26 GiB are held back, and
/// 28 GiB do not fit, for the last hour.
const USED: [u64; 11] = [50, 85, 110, 135, 170, 140, 170, 195, 260, 280, 280];

async fn backtest(used: &[u64], more: &[&str]) -> Ended {
    let folder = TempDir::new().unwrap();
    let policy = "apiVersion: autoscaling.kubedb.com/v1alpha1\nkind: PostgresAutoscaler\n\
                  metadata: {name: a, annotations: {highwater.dev/time-to-full: \"Off\"}}\n\
                  spec: {databaseRef: {name: shop}, storage: {postgres: {trigger: \"On\", usageThreshold: 80, \
                  scalingThreshold: 10, upperBound: 1Ti}}}\n";
    let mut usage = "at,namespace,database,claim,size,capacity,used\n".to_owned();
    for (hour, tenths) in used.iter().enumerate() {
        let (size, used) = (if hour == 0 { 10_u64 } else { 100 } << 30, (tenths << 30) / 10);
        writeln!(
            usage,
            "2026-11-21T{hour:02}:00:00Z,demo,shop,data-shop-0,{size},{size},{used}"
        )
        .unwrap();
    }
    let (policy_path, usage_path) = (folder.path().join("policy.yaml"), folder.path().join("usage.csv"));
    fs::write(&policy_path, policy).unwrap();
    fs::write(&usage_path, usage).unwrap();
    let mut arguments = vec!["backtest", "--provisioner", "ebs.csi.aws.com", "--policy"];
    arguments.extend([
        policy_path.to_str().unwrap(),
        "--usage",
        usage_path.to_str().unwrap(),
    ]);
    arguments.extend(more);
    run(folder.path(), &arguments).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_that_would_be_full_ends_with_1_and_hits_of_the_budget_are_counted() {
    let (code, out, err) = backtest(&USED, &["-o", "json"]).await;
    assert_eq!(code, 1, "{out}{err}");
    let shop: Value = serde_json::from_str::<Vec<Value>>(&out).unwrap().remove(0);
    let sizes: Vec<u64> = shop["growths"]
        .as_array()
        .unwrap()
        .iter()
        .map(|growth| growth["to"].as_u64().unwrap() >> 30)
        .collect();
    assert_eq!(sizes, [13, 16, 20, 27], "{out}");
    assert_eq!(
        (&shop["budgetHits"], &shop["held"]["BudgetSpent"]["times"]),
        (&3.into(), &3.into())
    );
    assert_eq!(shop["full"][0]["at"], "2026-11-21T09:00:00Z");

    let (code, out, err) = backtest(&USED, &[]).await;
    assert_eq!(code, 1, "{err}");
    let [names, shop] = [0, 1].map(|n| out.lines().nth(n).unwrap_or_default());
    let column = names.find("BUDGET HITS").unwrap();
    let hits = shop.get(column..column + "BUDGET HITS".len());
    assert_eq!(hits.map(str::trim), Some("3"), "{out}");
    assert!(out.contains("FULL    data-shop-0"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_would_not_ends_with_0() {
    let (code, out, err) = backtest(&USED[..3], &[]).await;
    assert_eq!(code, 0, "{out}{err}");
    assert!(!out.contains("FULL    "), "{out}");
}
