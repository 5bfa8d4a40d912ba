use crate::meter;
use assay_engine::Module;
use assay_fuzzing::{
    honest_witness, hostile,
    mutate::{Dice, mutate},
};
use assay_primitives::{Program, Writes, witness::Witness};
use codec::{Compact, Decode, Encode};

/// Most bytes that a kernel on chain may have.
const MOST: usize = 256 * 1024;
/// The largest block that the runtime's allocator gives, with a margin.
const BLOCK: usize = 24 << 20;

#[test]
fn parsing_takes_memory_in_proportion_to_the_text() {
    for (name, shape) in hostile::shapes() {
        for size in [MOST / 16, MOST] {
            let text = shape(size);
            let (module, peak, largest) = meter::measure(|| Module::parse(text.as_bytes()));
            assert!(peak < 140 * text.len() + (2 << 20), "{name}: {peak} bytes for {}", text.len());
            assert!(largest < BLOCK, "{name}: a block of {largest} bytes");
            drop(module);
        }
    }
}

#[test]
fn decoding_takes_memory_in_proportion_to_the_bytes() {
    let mut dice = Dice(8);
    let honest = honest_witness(0);
    for round in 0..4000 {
        // Lengths that promise much in front of little.
        let mut bytes = if round % 2 == 0 { mutate(&mut dice, &honest, &honest) } else { Vec::new() };
        for _ in 0..dice.below(6) {
            let length = [
                Compact(dice.draw() as u32 % 70_000).encode(),
                Compact(u32::MAX).encode(),
                Compact(2 * 1024 * 1024u32).encode(),
                vec![dice.draw() as u8; 40],
            ];
            let at = dice.below(bytes.len() + 1);
            bytes.splice(at..at, length[dice.below(4)].iter().copied());
        }
        let (_, peak, _) = meter::measure(|| {
            let witness = Witness::decode(&mut &bytes[..]).is_ok();
            let program = Program::decode(&mut &bytes[..]).is_ok();
            let writes = Writes::decode(&mut &bytes[..]).is_ok();
            (witness, program, writes)
        });
        assert!(peak < 32 * bytes.len() + (64 << 10), "{peak} bytes for {}", bytes.len());
    }
}
