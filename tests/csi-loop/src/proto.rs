//! The generated messages and services of `proto/`, and nothing else.

/// See `proto/csi.proto`.
pub mod csi {
    /// Version 1 of the Container Storage Interface.
    #[allow(missing_docs, unreachable_pub, clippy::all)]
    pub mod v1 {
        tonic::include_proto!("csi.v1");
    }
}

/// See `proto/pluginregistration.proto`.
#[allow(missing_docs, unreachable_pub, clippy::all)]
pub mod pluginregistration {
    tonic::include_proto!("pluginregistration");
}
