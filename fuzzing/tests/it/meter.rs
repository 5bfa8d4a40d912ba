//! What one thread allocates.
#![allow(unsafe_code)] // A global allocator is unsafe by nature; this one only counts and hands on.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

struct Meter;

fn note(by: isize, size: usize) {
    let _ = HELD.try_with(|held| {
        held.set(held.get() + by);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(held.get())));
        let _ = LARGEST.try_with(|largest| largest.set(largest.get().max(size)));
    });
}

// SAFETY: all calls go to the system's allocator unchanged.
unsafe impl GlobalAlloc for Meter {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size() as isize, layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size() as isize, layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        note(-(layout.size() as isize), 0);
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both blocks may exist for a moment.
        note(size as isize, size);
        note(-(layout.size() as isize), 0);
        unsafe { System.realloc(block, layout, size) }
    }
}

#[global_allocator]
static METER: Meter = Meter;

/// Bytes that this thread held at most while `work` ran, beyond what it held before, and the largest single block.
pub fn measure<T>(work: impl FnOnce() -> T) -> (T, usize, usize) {
    let before = HELD.get();
    PEAK.set(before);
    LARGEST.set(0);
    let made = work();
    (made, (PEAK.get() - before).max(0) as usize, LARGEST.get())
}
