//! Holds a pod's namespaces and does nothing; containerd ends it with SIGKILL.

fn main() {
    loop {
        std::thread::park();
    }
}
