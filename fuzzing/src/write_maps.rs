//! Write maps from anybody.

use crate::bytes::Bytes;
use assay_primitives::{Axis, Dim, WriteMap, Writes, write_map::Owner};
use codec::{Decode, Encode};

const LEN: usize = 512;

fn small(bytes: &mut Bytes<'_>) -> WriteMap {
    let dims: Vec<Dim> = (0..bytes.below(4))
        .map(|_| {
            let axis = bytes.pick(&[None, Some(Axis::X), Some(Axis::Y), Some(Axis::Z)]);
            match axis {
                Some(axis) if bytes.chance(15) => Dim::At { axis, index: bytes.below(4) },
                Some(axis) if bytes.chance(40) => Dim::Digit {
                    stride: i64::from(bytes.byte() as i8),
                    extent: bytes.below(9).into(),
                    axis,
                    tile: bytes.below(4).into(),
                    per: bytes.pick(&[1, 1, 2, 3]),
                    of: bytes.below(4),
                },
                Some(axis) if bytes.chance(40) => Dim::Element {
                    stride: i64::from(bytes.byte() as i8),
                    extent: bytes.below(9).into(),
                    axis,
                    tile: bytes.below(6).into(),
                    per: bytes.pick(&[1, 1, 2, 3]),
                    of: bytes.below(4),
                },
                axis => Dim::Span {
                    stride: i64::from(bytes.byte() as i8) * if bytes.chance(30) { 4 } else { 1 },
                    extent: bytes.below(9).into(),
                    axis,
                    tile: bytes.below(5).into(),
                },
            }
        })
        .collect();
    WriteMap {
        buffer: u16::from(bytes.chance(10)),
        base: bytes.below(LEN as u32 + 8).into(),
        dims: dims.try_into().unwrap(),
        run: bytes.below(20).into(),
    }
}

/// The first byte says whether the rest is SCALE or small numbers. What passes the check over two buffers gives every
/// byte at most one owner, and both directions of the question agree.
pub fn write_maps(data: &[u8]) {
    let mut bytes = Bytes(data);
    let writes = if bytes.chance(20) {
        let Ok(writes) = Writes::decode(&mut bytes.rest()) else { return };
        assert_eq!(Writes::decode(&mut &writes.encode()[..]).as_ref(), Ok(&writes));
        writes
    } else {
        let maps: Vec<WriteMap> = (0..1 + bytes.below(3)).map(|_| small(&mut bytes)).collect();
        Writes::Maps(maps.try_into().unwrap())
    };
    let grid = [1 + bytes.below(6), 1 + bytes.below(4), 1 + bytes.below(2)];
    // Total for any numbers.
    let _ = writes.check([u32::MAX; 3], &[u64::MAX; 3]);
    for at in [0, 1, u64::MAX / 2, u64::MAX - 1] {
        assert!(writes.owner(grid, 0, at).1 > at);
    }
    let mut visits = 0;
    writes.for_each_owned([u32::MAX, 0, 1], |_, _, _| {
        visits += 1;
        visits < 1000
    });
    if writes.check(grid, &[LEN as u64; 2]).is_err() {
        return;
    }
    for buffer in 0..2u16 {
        let mut owners = vec![Owner::Nobody; LEN];
        for z in 0..grid[2] {
            for y in 0..grid[1] {
                for x in 0..grid[0] {
                    writes.for_each_owned([x, y, z], |named, offset, len| {
                        if named == buffer {
                            for owner in &mut owners[offset as usize..(offset + len) as usize] {
                                assert_eq!(*owner, Owner::Nobody, "a byte has two owners");
                                *owner = Owner::Cta([x, y, z]);
                            }
                        }
                        true
                    });
                }
            }
        }
        for at in 0..LEN {
            let (owner, until) = writes.owner(grid, buffer, at as u64);
            assert!(until > at as u64);
            for byte in at..(until.min(LEN as u64) as usize) {
                assert_eq!(owner, owners[byte], "byte {byte}, asked at {at}");
            }
        }
    }
}
