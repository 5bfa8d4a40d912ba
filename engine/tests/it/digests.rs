use crate::support::{Buffers, Values, arguments, geometry, kernel, scratch, text};
use assay_engine::{AccessError, Kernel, Memory, Outcome};
use std::collections::BTreeMap;

const BODY: &str = "
    .shared .align 4 .b8 s[1024]; mov.u32 %r8, s; mad.lo.u32 %r9, %r1, 4, %r8;
    ld.global.u32 %r2, [%rd7]; st.shared.u32 [%r9], %r2; bar.sync 0;
    xor.b32 %r3, %r1, 17; mad.lo.u32 %r4, %r3, 4, %r8; ld.shared.u32 %r5, [%r4];
    setp.lt.u32 %p1, %r5, 0x80000000; @%p1 bra L; mul.lo.u32 %r5, %r5, 3;
    L: cvt.u64.u32 %rd10, %r5; mul.lo.u64 %rd10, %rd10, %rd10; ld.global.u64 %rd11, [%rd8]; add.s64 %rd10, %rd10, %rd11;
    st.global.u64 [%rd6], %rd10;";

fn inputs() -> Buffers {
    let mut memory = scratch();
    let mut values = Values::new(5);
    for buffer in &mut memory.bytes {
        for byte in buffer.iter_mut() {
            *byte = values.next() as u8;
        }
    }
    memory
}

fn run(kernel: &Kernel, memory: &mut impl Memory, key: Option<&[u8; 32]>) -> (u64, [u8; 32]) {
    match kernel.run(&geometry(96), &arguments(4), [0; 3], memory, 1 << 20, key).unwrap() {
        Outcome::Done { lane_steps, digest } => (lane_steps, digest),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_digest_depends_on_the_key_and_on_every_value() {
    let kernel = kernel(&text(BODY));
    let (steps, plain) = run(&kernel, &mut inputs(), None);
    assert_eq!(plain, [0; 32]);
    let (again, first) = run(&kernel, &mut inputs(), Some(&[1; 32]));
    assert_eq!(steps, again);
    assert_eq!(run(&kernel, &mut inputs(), Some(&[1; 32])).1, first);
    let mut key = [1; 32];
    key[31] = 2;
    assert_ne!(run(&kernel, &mut inputs(), Some(&key)).1, first);
    // One bit of one input of one thread.
    let mut changed = inputs();
    changed.bytes[2][8 * 95] ^= 1;
    assert_ne!(run(&kernel, &mut changed, Some(&[1; 32])).1, first);
    // A value that no result shows.
    let extra = crate::support::kernel(&text(&format!("{BODY} add.u32 %r20, %r1, 1;")));
    let other = crate::support::kernel(&text(&format!("{BODY} add.u32 %r20, %r1, 2;")));
    assert_ne!(run(&extra, &mut inputs(), Some(&[1; 32])).1, run(&other, &mut inputs(), Some(&[1; 32])).1);
}

#[test]
fn the_digest_is_the_recorded_one() {
    // What a host computes, every host computes: a change here is a new version of the engine.
    let kernel = kernel(&text(BODY));
    let (steps, digest) = run(&kernel, &mut inputs(), Some(&[7; 32]));
    let shown: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!((steps, shown.as_str()), include!("recorded.txt"));
}

/// Keeps what is read, and answers later runs from it alone.
#[derive(Default)]
struct Recorded {
    inner: Option<Buffers>,
    read: BTreeMap<(u16, u64), u8>,
    written: BTreeMap<(u16, u64), u8>,
}

impl Memory for Recorded {
    fn load(&mut self, buffer: u16, offset: u64, out: &mut [u8]) -> Result<(), AccessError> {
        for (at, byte) in (offset..).zip(out.iter_mut()) {
            if let Some(written) = self.written.get(&(buffer, at)) {
                *byte = *written;
                continue;
            }
            match &mut self.inner {
                Some(inner) => {
                    let mut one = [0];
                    inner.load(buffer, at, &mut one)?;
                    self.read.insert((buffer, at), one[0]);
                    *byte = one[0];
                }
                None => *byte = *self.read.get(&(buffer, at)).ok_or(AccessError::Incomplete)?,
            }
        }
        Ok(())
    }

    fn store(&mut self, buffer: u16, offset: u64, bytes: &[u8]) -> Result<(), AccessError> {
        for (at, byte) in (offset..).zip(bytes) {
            self.written.insert((buffer, at), *byte);
        }
        Ok(())
    }

    fn writable(&self, buffer: u16) -> bool {
        buffer == 0
    }
}

#[test]
fn a_run_from_its_witness_is_the_run_that_recorded_it() {
    let kernel = kernel(&text(BODY));
    let key = [9; 32];
    let mut plain = inputs();
    let wanted = run(&kernel, &mut plain, Some(&key));
    let mut recording = Recorded { inner: Some(inputs()), ..Recorded::default() };
    assert_eq!(run(&kernel, &mut recording, Some(&key)), wanted);
    let mut witness = Recorded { read: recording.read.clone(), ..Recorded::default() };
    assert_eq!(run(&kernel, &mut witness, Some(&key)), wanted);
    for ((buffer, at), byte) in witness.written {
        assert_eq!(plain.bytes[usize::from(buffer)][at as usize], byte);
    }
    // A byte less, and nothing is decided.
    let mut read = recording.read;
    let (first, _) = read.pop_first().unwrap();
    let mut lacking = Recorded { read, ..Recorded::default() };
    let outcome = kernel.run(&geometry(96), &arguments(4), [0; 3], &mut lacking, 1 << 20, None).unwrap();
    assert_eq!(outcome, Outcome::Incomplete { buffer: first.0, offset: first.1 });
}
