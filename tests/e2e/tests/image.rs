//! The images: one static file that runs as nobody in particular, and still finds the deciders by name.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{path::Path, process::Command};

use e2e::World;
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, api::ListParams};
use serde_json::Value;

/// One member of a tar archive.
fn member(archive: &Path, name: &str) -> Vec<u8> {
    let output = Command::new("tar")
        .arg("-xOf")
        .arg(archive)
        .arg(name)
        .output()
        .unwrap();
    assert!(output.status.success(), "{name} in {}", archive.display());
    output.stdout
}

#[test]
fn an_image_is_one_static_file_with_a_numeric_user() {
    for (component, user) in [
        ("agent", "65532:0"),
        ("decider", "65532:65532"),
        ("executor", "65532:65532"),
        ("provisioner", "65532:65532"),
    ] {
        let archive = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("../../target/images/highwater-{component}.tar"));
        let manifest: Value = serde_json::from_slice(&member(&archive, "./manifest.json")).unwrap();
        let inside =
            |pointer: &str| format!("./{}", manifest.pointer(pointer).and_then(Value::as_str).unwrap());
        let config: Value = serde_json::from_slice(&member(&archive, &inside("/0/Config"))).unwrap();
        assert_eq!(config["config"]["User"], user);

        let folder = tempfile::tempdir().unwrap();
        let layer = folder.path().join("layer.tar");
        std::fs::write(&layer, member(&archive, &inside("/0/Layers/0"))).unwrap();
        let listed = Command::new("tar")
            .arg("-tf")
            .arg(&layer)
            .output()
            .unwrap()
            .stdout;
        let listed = String::from_utf8(listed).unwrap();
        let binary = format!("./highwater-{component}");
        assert_eq!(listed.lines().collect::<Vec<_>>(), ["./", &binary]);

        // A dynamic program names its interpreter, which the image does not have.
        let program = member(&layer, &binary);
        assert!(program.starts_with(b"\x7fELF"));
        assert!(
            !program.windows(14).any(|bytes| bytes == b"/lib64/ld-linu"),
            "{component} is not static"
        );
    }
}

/// There is no shell and no resolver configuration in the image: the program itself resolves, statically linked. Its streams are
/// the proof, because it was given nothing but the name of the headless Service.
#[tokio::test]
async fn the_headless_service_is_resolved_from_inside_the_image() {
    let world = World::connect().await.unwrap();
    let pods: Api<Pod> = Api::namespaced(world.client.clone(), "highwater");
    let of =
        |component: &str| ListParams::default().labels(&format!("app.kubernetes.io/component={component}"));
    let deciders = pods.list(&of("decider")).await.unwrap().items.len();
    assert!(deciders >= 2, "{deciders} deciders");
    let agents = pods.list(&of("agent")).await.unwrap().items;
    assert!(!agents.is_empty());
    for agent in agents {
        let container = &agent.spec.as_ref().unwrap().containers[0];
        let named = container
            .args
            .iter()
            .flatten()
            .any(|a| a == "--decider=highwater-decider.highwater.svc:7400");
        assert!(named, "{:?}", container.args);
        let name = agent.metadata.name.unwrap();
        let deadline = std::time::Instant::now() + e2e::wait::PATIENCE;
        loop {
            let streams = world.metric(&name, "highwater_agent_streams").await.unwrap();
            if streams as usize == deciders {
                break;
            }
            assert!(
                std::time::Instant::now() < deadline,
                "{name} has {streams} streams to {deciders} deciders"
            );
            tokio::time::sleep(std::time::Duration::from_millis(200)).await; // a metric can only be polled
        }
    }
}
