//! What is certain of mounts that change and cannot always be read.

use std::cell::Cell;

use super::{TRIES, certain};

/// Mounts of which the test says when they change and whether they can be read.
#[derive(Default)]
struct Mounts {
    mounted: Cell<u32>,
    changed: Cell<bool>,
    readable: Cell<bool>,
    known: Cell<u32>,
    readings: Cell<usize>,
    unread: bool,
}

impl Mounts {
    fn change(&self) {
        self.mounted.set(self.mounted.get() + 1);
        self.changed.set(true);
    }

    fn read(&self) -> bool {
        self.readings.set(self.readings.get() + 1);
        if self.readable.get() {
            self.known.set(self.mounted.get());
        }
        self.readable.get()
    }

    fn certain(&mut self) -> Option<u32> {
        let mut unread = self.unread;
        let known = certain(
            &mut unread,
            || self.known.get(),
            || self.changed.take(),
            || self.read(),
        );
        self.unread = unread;
        known
    }
}

#[test]
fn what_has_changed_is_read_before_anything_is_told() {
    let mut mounts = Mounts::default();
    mounts.readable.set(true);
    assert_eq!((mounts.certain(), mounts.readings.get()), (Some(0), 0));
    mounts.change();
    assert_eq!((mounts.certain(), mounts.readings.get()), (Some(1), 1));
}

#[test]
fn nothing_is_told_after_a_change_that_cannot_be_read() {
    let mut mounts = Mounts::default();
    mounts.change();
    for _ in 0..3 {
        assert_eq!(mounts.certain(), None, "of mounts that may have gone");
    }
    mounts.readable.set(true);
    assert_eq!(mounts.certain(), Some(1));
    mounts.readable.set(false);
    assert_eq!(mounts.certain(), Some(1), "nothing has changed since");
}

#[test]
fn mounts_that_never_rest_are_left_for_later() {
    let (looks, readings) = (Cell::new(0), Cell::new(0));
    let count = |cell: &Cell<usize>| cell.set(cell.get() + 1);
    let seen = certain(
        &mut false,
        || count(&looks),
        || true,
        || {
            count(&readings);
            true
        },
    );
    assert_eq!((seen, looks.get(), readings.get()), (None, TRIES, TRIES));
}
