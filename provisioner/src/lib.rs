//! The provisioner: one process with two controllers, which meet only through the API.
