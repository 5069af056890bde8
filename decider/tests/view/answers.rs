//! What is answered.

use api::view::{Answer, Databases};
use serde_json::Value;

use crate::bed::Bed;

fn names(answer: &Value) -> Vec<String> {
    let answer: Answer<Databases> = serde_json::from_value(answer.clone()).unwrap();
    let all = answer.content.databases.iter();
    all.map(|d| format!("{}/{}", d.namespace, d.name)).collect()
}

#[tokio::test]
async fn a_follower_answers_and_says_so() {
    let mut bed = Bed::new(decider_core::decide).await;
    bed.database("demo", "shop");
    bed.start().await;
    let (code, answer) = bed.get("/v1/databases/demo/shop").await;
    assert_eq!(code, 200, "{answer}");
    assert_eq!(answer["replica"]["name"], "decider-1");
    assert_eq!(answer["replica"]["leads"], false);
    assert_eq!(answer["replica"]["at"], "2026-11-21T12:00:00Z");
    let shop = &answer["databases"][0];
    assert_eq!(shop["autoscaler"], "shop-as");
    assert_eq!(shop["decision"]["reason"], "NotMeasured");
    assert_eq!(
        (&shop["canGrow"], &shop["barrier"]),
        (&false.into(), &"NotMeasured".into())
    );
    assert_eq!(shop["thresholds"]["usage"], 80);
    let volume = &shop["volumes"][0];
    assert_eq!(
        (&volume["claim"], &volume["volume"]),
        (&"data-shop-0".into(), &"pv-shop".into())
    );
    assert_eq!(volume["size"], 1 << 30);
    assert!(
        volume.get("usage").is_none(),
        "unknown is absent, not zero: {volume}"
    );
    bed.stop().await;
}

#[tokio::test]
async fn what_pins_write_ahead_log_is_a_note() {
    let mut bed = Bed::new(decider_core::decide).await;
    bed.database_that_retains("demo", "shop", Some("slot old keeps 3Gi"));
    bed.database("demo", "wiki");
    bed.start().await;
    let (_, answer) = bed.get("/v1/databases/demo/shop").await;
    let notes = &answer["databases"][0]["notes"];
    assert_eq!(notes[0]["reason"], "WALRetained", "{answer}");
    let message = notes[0]["message"].as_str().unwrap();
    assert!(message.starts_with("slot old keeps 3Gi"), "{message}");
    let (_, answer) = bed.get("/v1/databases/demo/wiki").await;
    assert!(
        !answer.to_string().contains("WALRetained"),
        "nothing pins it: {answer}"
    );
    bed.stop().await;
}

#[tokio::test]
async fn pages_go_on_where_the_last_one_ended_and_keep_to_a_namespace() {
    let mut bed = Bed::new(decider_core::decide).await;
    for (namespace, name) in [("b", "y"), ("a", "x"), ("b", "x"), ("c", "z"), ("a", "w")] {
        bed.database(namespace, name);
    }
    bed.start().await;
    let (mut all, mut query) = (Vec::new(), String::new());
    loop {
        let (code, answer) = bed.get(&format!("/v1/databases?limit=2{query}")).await;
        assert_eq!(code, 200, "{answer}");
        all.extend(names(&answer));
        let Some(next) = answer["next"].as_str() else {
            break;
        };
        query = format!("&after={next}");
    }
    assert_eq!(all, ["a/w", "a/x", "b/x", "b/y", "c/z"]);
    let (_, answer) = bed.get("/v1/databases?namespace=b").await;
    assert_eq!(names(&answer), ["b/x", "b/y"]);
    bed.stop().await;
}

#[tokio::test]
async fn before_everything_is_read_nothing_is_said_of_databases() {
    let mut bed = Bed::new(decider_core::decide).await;
    bed.database("demo", "shop");
    let (code, answer) = bed.get("/v1/databases").await;
    assert_eq!(
        (code, &answer["code"], &answer["status"]),
        (503, &503.into(), &"Failure".into())
    );
    assert_eq!(bed.get("/v1/nodes").await.0, 200);
    bed.start().await;
    assert_eq!(bed.get("/v1/databases").await.0, 200);
    bed.stop().await;
}

#[tokio::test]
async fn what_is_not_there_or_not_understood_is_refused_with_a_word() {
    let mut bed = Bed::new(decider_core::decide).await;
    bed.start().await;
    for (path, code, reason) in [
        ("/v1/databases/demo/none", 404, "NotFound"),
        ("/v1/databases?limit=many", 400, "BadRequest"),
        ("/v1/databases?after=shop", 400, "BadRequest"),
    ] {
        let (answered, answer) = bed.get(path).await;
        assert_eq!((answered, &answer["reason"]), (code, &reason.into()), "{path}");
    }
    assert_eq!(bed.get("/metrics").await.0, 404);
    let post = "POST /v1/databases HTTP/1.1\r\nHost: view\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    assert!(bed.send(post).await.starts_with("HTTP/1.1 405"));
    assert!(bed.send("nonsense\r\n\r\n").await.starts_with("HTTP/1.1 400"));
    assert_eq!(bed.get("/v1/databases").await.0, 200);
    bed.stop().await;
}

/// A defect in the decision costs that database's answer, not the port.
#[tokio::test]
async fn a_panic_is_told_as_such() {
    let mut bed = Bed::new(|_, _, _, _| panic!("a defect")).await;
    bed.database("demo", "shop");
    bed.start().await;
    let (code, answer) = bed.get("/v1/databases").await;
    let decision = &answer["databases"][0]["decision"];
    assert_eq!((code, &decision["reason"]), (200, &"InternalError".into()));
    assert_eq!(decision["text"], "a defect");
    bed.stop().await;
}
