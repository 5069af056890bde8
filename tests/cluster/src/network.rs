//! The node's address, pods' addresses, services' addresses. All of it is private to the machine: nothing is reachable from outside,
//! and pods reach nothing outside.

use std::{fs, net::Ipv4Addr, process::Command};

use anyhow::{Context as _, Result, bail};
use serde_json::json;

use crate::state::State;

/// The node's own address, on an interface of its own: the machine may have no other, or one that changes.
pub const NODE_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 89, 0, 1);
/// Addresses of pods.
pub(crate) const PODS: &str = "10.90.0.0/24";
/// Addresses of services.
pub(crate) const SERVICES: &str = "10.96.0.0/16";
/// The first of [`SERVICES`]: the API server as pods see it.
pub(crate) const API_SERVICE: &str = "10.96.0.1";

/// kube-proxy's tables; their names are its own and cannot be changed.
const PROXY_TABLES: &[&str] = &["ip", "ip6"];
const PROXY_TABLE: &str = "kube-proxy";

/// Makes the node's address and lets the machine forward between pods.
pub(crate) fn create(state: &State) -> Result<()> {
    if tables()?.iter().any(|table| table.ends_with(PROXY_TABLE)) {
        bail!("another Kubernetes runs on this machine (nftables has a table {PROXY_TABLE}): stop it first");
    }
    let (bridge, address) = (state.bridge(), format!("{NODE_ADDRESS}/32"));
    // A bridge without ports: a dummy interface is not in every kernel.
    ip(&["link", "add", &bridge, "type", "bridge"])?;
    ip(&["address", "add", &address, "dev", &bridge])?;
    ip(&["link", "set", &bridge, "up"])?;
    fs::write("/proc/sys/net/ipv4/ip_forward", "1").context("cannot switch forwarding on")
}

/// Removes the interface and the proxy's rules. Those of pods went with their namespaces.
pub(crate) fn remove(state: &State) -> Result<()> {
    if fs::exists(format!("/sys/class/net/{}", state.bridge())).unwrap_or(false) {
        ip(&["link", "delete", &state.bridge()])?;
    }
    for table in tables()?.iter().filter(|table| table.ends_with(PROXY_TABLE)) {
        run("nft", &["delete", "table", table])?;
    }
    Ok(())
}

/// kube-proxy's tables that exist, as `family name`.
fn tables() -> Result<Vec<String>> {
    let listed = run("nft", &["list", "tables"])?;
    let names = PROXY_TABLES
        .iter()
        .map(|family| format!("{family} {PROXY_TABLE}"));
    Ok(names
        .filter(|name| listed.lines().any(|line| line == format!("table {name}")))
        .collect())
}

/// What containerd gives to CNI: every pod has a link of its own to the host, which routes. Unlike a bridge this needs no packet
/// filter to see service addresses translated between two pods of one node.
pub(crate) fn pod_network(state: &State) -> String {
    let network = json!({
        "cniVersion": "0.4.0",
        "name": state.pod_network(),
        "plugins": [{
            "type": "ptp",
            "ipMasq": false,
            "ipam": {
                "type": "host-local",
                "subnet": PODS,
                "routes": [{"dst": "0.0.0.0/0"}],
                "dataDir": state.path("cni/leases"),
            },
        }],
    });
    format!("{network:#}\n")
}

fn ip(arguments: &[&str]) -> Result<()> {
    run("ip", arguments).map(drop)
}

fn run(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .with_context(|| format!("cannot run {program}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{program} {}: {}", arguments.join(" "), said.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
