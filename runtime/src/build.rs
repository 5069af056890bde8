//! Which build runs: version and the metrics registry that carries it.

use prometheus_client::{metrics::info::Info, registry::Registry};

/// Version of Highwater; all its packages share one.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The registry of a process: every name in it begins with `highwater_<box>_`, and `build_info` is in it.
#[must_use]
pub fn registry(name: &str) -> Registry {
    let mut registry = Registry::with_prefix(format!("highwater_{name}"));
    registry.register("build", "The running build", Info::new([("version", VERSION)]));
    registry
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::{VERSION, registry};

    #[test]
    fn names_begin_with_the_box() {
        let mut text = String::new();
        encode(&mut text, &registry("agent")).unwrap();
        let line = format!("highwater_agent_build_info{{version=\"{VERSION}\"}} 1");
        assert!(text.lines().any(|l| l == line), "{text}");
    }
}
