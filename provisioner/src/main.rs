//! `highwater-provisioner`: see the library.

fn main() {}
