//! Values that a cluster needs to be other than the default, as far as the rendered objects; and those that are refused.

use crate::tools::render;

#[test]
fn another_kubelet_directory_is_mounted_at_its_own_path() {
    let text = render(&["--set", "kubeletRoot=/data/kubelet"]).unwrap();
    for line in [
        "- --kubelet-root=/data/kubelet",
        "mountPath: /data/kubelet",
        "path: /data/kubelet",
    ] {
        assert!(text.lines().any(|l| l.trim() == line), "{line}");
    }
    assert!(
        !text.contains("/var/lib/kubelet"),
        "a place where the default stayed"
    );
}

#[test]
fn selinux_options_reach_the_agent_alone() {
    let text = render(&["--set", "agent.seLinuxOptions.type=spc_t"]).unwrap();
    let of = |name: &str| {
        text.split("\n---")
            .find(|object| object.contains(name))
            .unwrap()
            .to_owned()
    };
    assert!(of("kind: DaemonSet").contains("type: spc_t"));
    assert_eq!(text.matches("spc_t").count(), 1);
    assert!(!render(&[]).unwrap().contains("seLinuxOptions"));
}

#[test]
fn what_is_misspelt_or_cannot_be_is_refused() {
    for (value, named) in [
        ("agent.perod=1s", "perod"),
        ("agent.period=soon", "/agent/period"),
        ("kubeletRoot=kubelet", "/kubeletRoot"),
        ("kubeletRoot=/var/lib/kubelet/", "/kubeletRoot"),
        ("mode=beside", "/mode"),
        ("decider.replicas=0", "/decider/replicas"),
        ("priorityClass.value=2000000000", "/priorityClass/value"),
        ("image.registry=", "/image/registry"),
    ] {
        let refused = render(&["--set", value]).expect_err(value);
        assert!(refused.contains(named), "{value}: {refused}");
    }
}
