use assay_fuzzing::{
    forms, generate, honest_witness,
    mutate::{Dice, mutate},
    program_bytes, programs, ptx_text, slices, witness, write_maps,
};
use std::{collections::BTreeMap, fs, path::Path};

fn files(folder: &Path, into: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, into);
        } else {
            into.insert(path.display().to_string(), fs::read(&path).unwrap());
        }
    }
}

fn kept(folder: &str) -> Vec<Vec<u8>> {
    let mut found = BTreeMap::new();
    // Not env!, which would be another checkout's folder where two share a build folder.
    files(&Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("..").join(folder), &mut found);
    found.into_values().collect()
}

/// The entries of a module, each with what stands before the first.
fn entries(module: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(module);
    let starts: Vec<usize> = text.match_indices(".visible .entry").map(|found| found.0).collect();
    let head = &text[..starts.first().copied().unwrap_or(0)];
    starts
        .iter()
        .zip(starts.iter().skip(1).chain([&text.len()]))
        .map(|(from, to)| format!("{head}{}", &text[*from..*to]).into_bytes())
        .filter(|entry| entry.len() < 12_000)
        .collect()
}

#[test]
fn ptx_near_what_compilers_write_never_panics() {
    let mut corpus = kept("fuzz/corpus/ptx_text");
    assert!(corpus.len() >= 12);
    corpus.iter().for_each(|text| ptx_text(text));
    for module in kept("kernels/ptx") {
        corpus.extend(entries(&module).into_iter().step_by(7));
    }
    corpus.extend((0..20).map(|seed| generate(&Dice(seed).bytes(200)).into_bytes()));
    let mut dice = Dice(1);
    for _ in 0..3000 {
        let (seed, other) = (dice.below(corpus.len()), dice.below(corpus.len()));
        let text = mutate(&mut dice, &corpus[seed], &corpus[other]);
        ptx_text(&text);
    }
    for _ in 0..2000 {
        let count = dice.below(200);
        ptx_text(&dice.bytes(count));
    }
}

#[test]
fn generated_programs_run_alike_on_every_memory() {
    let mut dice = Dice(2);
    for _ in 0..400 {
        let count = 100 + dice.below(900);
        programs(&dice.bytes(count));
    }
}

#[test]
fn edited_witnesses_convict_nobody() {
    let mut dice = Dice(3);
    for round in 0..600 {
        let mut data = vec![(round % 4) as u8];
        for _ in 0..dice.below(4) {
            data.extend(dice.bytes(4));
        }
        witness(&data);
        let honest = honest_witness((round % 4) as u8);
        let mut data = mutate(&mut dice, &honest, &honest);
        data.insert(0, 0x80 | (round % 4) as u8);
        witness(&data);
    }
}

#[test]
fn programs_from_anybody_are_checked_without_panic() {
    let mut dice = Dice(4);
    for _ in 0..4000 {
        let count = dice.below(400);
        program_bytes(&dice.bytes(count));
    }
}

#[test]
fn slices_prove_the_bytes_of_their_blob_or_nothing() {
    let mut dice = Dice(5);
    for _ in 0..600 {
        let count = 13 + dice.below(70);
        slices(&dice.bytes(count));
    }
}

#[test]
fn maps_that_pass_the_check_give_every_byte_one_owner() {
    let mut dice = Dice(6);
    for _ in 0..30_000 {
        let count = dice.below(60);
        write_maps(&dice.bytes(count));
    }
}

#[test]
fn every_form_of_the_table_runs_on_all_its_operands() {
    let classes = forms(200);
    assert!(classes.iter().map(|class| class.forms.len()).sum::<usize>() > 600);
    for class in classes {
        assert_eq!(class.trace.trap, None, "{}", class.name);
        let results = &class.trace.states[1].buffers[1];
        for (form, results) in class.forms.iter().zip(results.chunks(8 * assay_fuzzing::Forms::TRIPLES as usize)) {
            assert!(results.iter().any(|byte| *byte != 0), "{form} gives nothing");
        }
    }
}
