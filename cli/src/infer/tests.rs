#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use super::*;

/// Every job of the suite: the launches whose maps are found by trying.
#[test]
fn most_launches_of_the_suite_are_inferred() {
    let only = std::env::var("ASSAY_JOB").unwrap_or_default();
    let time = Duration::from_millis(300);
    let (mut found, mut all, mut verified) = (0, 0, 0);
    for job in assay_kernels::all().unwrap().iter().filter(|job| job.name.contains(&only)) {
        let ptx = job.kernels.iter().map(|ptx| ptx.to_vec()).collect();
        let prepared = Prepared::new(job.program.clone(), ptx, 20_000_000).unwrap();
        let buffers = Buffers(job.buffers.iter().cloned().map(Arc::new).collect());
        for proposal in infer(&prepared, buffers, 20_000_000, time) {
            all += 1;
            if proposal.complete() {
                found += 1;
            }
            verified += proposal.verified;
            let state = if proposal.complete() { "found" } else { "MISSING" };
            println!("{state} {} {} {}: verified {}", job.name, proposal.launch, proposal.entry, proposal.verified);
            for (buffer, forms) in &proposal.buffers {
                match forms {
                    Ok(forms) => {
                        for form in forms {
                            println!("    {}", form.toml(&buffer.to_string(), proposal.block));
                        }
                    }
                    Err(reason) => println!("    {buffer}: {reason}"),
                }
            }
            if let Some((unit, trap)) = &proposal.trap {
                println!("    {unit:?} {trap:?}");
            }
        }
    }
    println!("{found} of {all}");
    assert!(verified > 0);
    assert!(all > 0 && found * 10 >= all * 9, "{found} of {all}");
}

fn target(grid: [u32; 3], len: u64) -> Target {
    Target { buffer: 0, base: 0, len, grid }
}

/// What every CTA of a grid stores that stores all it owns.
fn stores(form: &Form, target: &Target) -> Vec<Seen> {
    let writes = fit::writes(std::slice::from_ref(form), target).unwrap();
    let mut seen = Vec::new();
    let [x, y, z] = target.grid;
    for index in 0..u64::from(x) * u64::from(y) * u64::from(z) {
        let cta = cta_at(target.grid, index).unwrap();
        let mut ranges = Ranges::new();
        writes.for_each_owned(cta, |_, offset, len| {
            ranges.push((offset, offset + len));
            true
        });
        ranges.sort_unstable();
        let mut joined = Ranges::new();
        for (from, until) in ranges {
            crate::unit::push(&mut joined, from, until);
        }
        seen.push(Seen { cta, ranges: joined });
    }
    seen
}

fn found(seen: &[Seen], target: &Target, block: [u32; 3]) -> String {
    match fit(seen, target, &Shaped { block, sizes: Vec::new() }) {
        Ok(lists) => lists[0].iter().map(|form| form.toml("out", block)).collect::<Vec<_>>().join(", "),
        Err(reason) => reason,
    }
}

#[test]
fn forms_are_found_again_from_what_they_allow() {
    let tile = |tile: &[u64], size: &[u64], element| Form::Tile {
        base: 0,
        tile: tile.to_vec(),
        size: size.to_vec(),
        element,
        pitch: None,
        plane: None,
        axes: None,
    };
    let cases = [
        (Form::Range { base: 0, bytes: 512, len: None, axis: None }, [8, 1, 1], 4000, [128, 1, 1]),
        (Form::Range { base: 64, bytes: 512, len: Some(3000), axis: None }, [8, 1, 1], 9000, [128, 1, 1]),
        (Form::PerCta { base: 0, bytes: 4 }, [5, 3, 2], 400, [64, 1, 1]),
        (Form::AllByCta0 { base: 0, len: None }, [5, 3, 1], 400, [64, 1, 1]),
        (Form::GridStride { base: 0, each: 64, count: 1000, element: 4 }, [4, 1, 1], 4000, [64, 1, 1]),
        (tile(&[16, 16], &[50, 37], 4), [4, 3, 1], 50 * 37 * 4, [16, 16, 1]),
        (tile(&[8, 8, 4], &[20, 20, 10], 8), [3, 3, 3], 20 * 20 * 10 * 8, [8, 8, 4]),
    ];
    for (form, grid, len, block) in cases {
        let target = target(grid, len);
        assert_eq!(found(&stores(&form, &target), &target, block), form.toml("out", block));
    }
}

#[test]
fn a_few_stores_that_are_missing_at_the_end_of_the_buffer_do_not_cut_a_range() {
    // Pairs that are swapped or not: the last one is not.
    let target = target([4, 1, 1], 4000);
    let form = |len| Form::Range { base: 0, bytes: 1024, len, axis: None };
    assert_eq!(found(&stores(&form(Some(3992)), &target), &target, [128, 1, 1]), form(None).toml("out", [128, 1, 1]));
    let cut = form(Some(3900));
    assert_eq!(found(&stores(&cut, &target), &target, [128, 1, 1]), cut.toml("out", [128, 1, 1]));
}

#[test]
fn records_and_reversed_stores_need_the_full_form() {
    let target = target([4, 1, 1], 12 * 512);
    let seen: Vec<Seen> = (0..4u32)
        .map(|x| {
            let first = u64::from(x) * 128;
            Seen { cta: [x, 0, 0], ranges: (first..first + 128).map(|i| (i * 12 + 4, i * 12 + 8)).collect() }
        })
        .collect();
    assert_eq!(
        found(&seen, &target, [128, 1, 1]),
        r#"{ buffer = "out", base = 4, run = 4, dims = [{ stride = 12, extent = 512, axis = "x", tile = 128 }] }"#
    );
    let seen: Vec<Seen> = (0..4u32)
        .map(|x| Seen { cta: [x, 0, 0], ranges: vec![(1536 - 512 * u64::from(x), 2048 - 512 * u64::from(x))] })
        .collect();
    assert_eq!(
        found(&seen, &target, [128, 1, 1]),
        r#"{ buffer = "out", base = 1536, run = 512, dims = [{ stride = -512, extent = 4, axis = "x" }] }"#
    );
}

#[test]
fn two_ctas_at_one_byte_are_named() {
    let target = target([3, 1, 1], 100);
    let at = |x: u32, from: u64| Seen { cta: [x, 0, 0], ranges: vec![(from, from + 4)] };
    let reason = found(&[at(0, 0), at(1, 16), at(2, 18)], &target, [32, 1, 1]);
    assert!(reason.starts_with("CTA [1, 0, 0] and CTA [2, 0, 0] both store to byte 18: "), "{reason}");
}

#[test]
fn scattered_stores_have_no_form_and_it_is_said_why() {
    let target = target([8, 1, 1], 1 << 20);
    let at = |x: u32, from: u64| Seen { cta: [x, 0, 0], ranges: vec![(from, from + 4)] };
    let seen: Vec<Seen> =
        [9000, 40, 600_000, 77_000, 500, 123_456, 8].into_iter().zip(0..).map(|(from, x)| at(x, from)).collect();
    let reason = found(&seen, &target, [32, 1, 1]);
    assert!(reason.contains("no regular pattern") || reason.contains("even distances"), "{reason}");
}

#[test]
fn the_first_cta_may_store_more_than_the_others() {
    let target = target([1, 4, 1], 4 * 17 * 68);
    let tile = Form::Tile {
        base: 72,
        tile: vec![16, 16],
        size: vec![16, 64],
        element: 4,
        pitch: Some(68),
        plane: None,
        axes: None,
    };
    let mut seen = stores(&tile, &target);
    for seen in seen.iter_mut().filter(|seen| seen.cta == [0; 3]) {
        seen.ranges.insert(0, (4, 68));
    }
    let all = found(&seen, &target, [16, 16, 1]);
    assert!(all.ends_with(r#", { buffer = "out", base = 4, all-by-cta0 = true, len = 64 }"#), "{all}");
}

#[test]
fn a_grid_of_two_axes_may_count_on_to_a_cut_end() {
    let target = target([3, 3, 1], 4000);
    let form = Form::Range { base: 0, bytes: 512, len: Some(3500), axis: None };
    assert_eq!(found(&stores(&form, &target), &target, [128, 1, 1]), form.toml("out", [128, 1, 1]));
}

#[test]
fn several_ranges_of_each_cta_are_as_many_maps() {
    let target = target([4, 1, 1], 4096);
    // Levels of a pyramid: 256, 128 and 64 bytes of each CTA.
    let at = |x: u64, bytes: u64| (bytes * 4 + x * bytes, bytes * 4 + (x + 1) * bytes);
    let of = |x: u32| {
        let x = u64::from(x);
        let mut ranges: Ranges = [at(x, 512), at(x, 256), at(x, 64)].to_vec();
        ranges.sort_unstable();
        Seen { cta: [x as u32, 0, 0], ranges }
    };
    let seen: Vec<Seen> = (0..4).map(of).collect();
    assert_eq!(
        found(&seen, &target, [32, 1, 1]),
        r#"{ buffer = "out", base = 256, range = "block.x * 2" }, { buffer = "out", base = 1024, range = "block.x * 8" }, { buffer = "out", base = 2048, range = "block.x * 16" }"#
    );
}

#[test]
fn digits_of_one_axis_are_found() {
    // Transposed results of n * 5 + c, and tiles of 4 x 2 counted in x alone over a picture of 14 x 7.
    let target = target([15, 1, 1], 60);
    let at = |b: u32| u64::from((b % 5) * 12 + (b / 5) * 4);
    let seen: Vec<Seen> = (0..15).map(|b| Seen { cta: [b, 0, 0], ranges: vec![(at(b), at(b) + 4)] }).collect();
    assert_eq!(
        found(&seen, &target, [128, 1, 1]),
        r#"{ buffer = "out", base = 0, run = 4, dims = [{ stride = 12, extent = 5, axis = "x", tile = 1, per = 1, of = 5 }, { stride = 4, extent = 3, axis = "x", tile = 1, per = 5, of = 3 }] }"#
            .replace("base = 0, ", "")
    );
    let target = self::target([16, 1, 1], 14 * 7 * 4);
    let rows = |b: u32| (b / 4 * 2..(b / 4 * 2 + 2).min(7)).map(move |row| u64::from(row * 14 + b % 4 * 4) * 4);
    let wide = |b: u32| if b % 4 == 3 { 8 } else { 16 };
    let seen: Vec<Seen> =
        (0..16).map(|b| Seen { cta: [b, 0, 0], ranges: rows(b).map(|at| (at, at + wide(b))).collect() }).collect();
    let tiles = found(&seen, &target, [4, 2, 1]);
    assert!(tiles.contains("per = 4, of = 4") && tiles.contains("per = 1, of = 4"), "{tiles}");
}

/// What `fit` makes of the stores of `threads` threads a CTA: `places` gives the sites and offsets that element e stores to.
fn taken_apart(
    target: &Target,
    threads: u32,
    sizes: &[u64],
    places: impl Fn(u64) -> Vec<(u32, u64)>,
    bytes: u32,
) -> Option<String> {
    let mut stores = Vec::new();
    let mut seen = Vec::new();
    for x in 0..target.grid[0] {
        let mut ranges = Ranges::new();
        for thread in 0..threads {
            for (line, offset) in places(u64::from(x * threads + thread)) {
                stores.push(Stored { cta: [x, 0, 0], thread, site: (line, 0), offset, bytes });
                ranges.push((offset, offset + u64::from(bytes)));
            }
        }
        ranges.sort_unstable();
        seen.push(Seen { cta: [x, 0, 0], ranges });
    }
    let lists = flat::fit(&stores, target, threads.into(), sizes);
    let forms = lists.into_iter().find(|forms| holds(forms, &seen, target))?;
    Some(forms.iter().map(|form| form.toml("out", [threads, 1, 1])).collect::<Vec<_>>().join(", "))
}

#[test]
fn a_flat_index_that_is_put_together_otherwise_is_taken_apart() {
    // Rows and columns swapped, 7 × 30 elements by CTAs of 64 threads.
    let place = |e: u64| if e < 210 { vec![(1, e % 30 * 28 + e / 30 * 4)] } else { Vec::new() };
    assert_eq!(
        taken_apart(&target([4, 1, 1], 840), 64, &[7, 30], place, 4).unwrap(),
        "{ buffer = \"out\", flat = \"block.x\", shape = [30, 7], strides = [7, 1], element = 4 }"
    );
    // Fields of records that CTAs cut: 5 values of 8 bytes in 48.
    let place = |e: u64| if e < 100 { vec![(1, e / 5 * 48 + e % 5 * 8)] } else { Vec::new() };
    assert_eq!(
        taken_apart(&target([4, 1, 1], 960), 32, &[20], place, 8).unwrap(),
        "{ buffer = \"out\", flat = \"block.x\", shape = [5, 20], strides = [1, 6], element = 8 }"
    );
}

#[test]
fn a_bitonic_step_over_ctas_leaves_out_every_second_block_of_threads() {
    // Threads store or not as the data wants.
    let place = |e: u64| match (e & 64, e * 7 % 3) {
        (0, 0 | 1) => vec![(1, e * 4), (2, (e ^ 64) * 4)],
        _ => Vec::new(),
    };
    let found = taken_apart(&target([16, 1, 1], 2048), 32, &[64, 128], place, 4).unwrap();
    assert!(found.contains("elements = \"block.x\"") && found.contains("extent = 1,"), "{found}");
}

/// The first form for threads that store 4 bytes at `place`, if they do, that covers their stores.
fn of_threads(target: &Target, block: [u32; 3], place: impl Fn([u32; 3]) -> Option<(u32, u64)>) -> Option<String> {
    let (mut stores, mut seen) = (Vec::new(), Vec::new());
    let [width, height, depth] = block;
    let ctas: u64 = target.grid.iter().map(|extent| u64::from(*extent)).product();
    for cta in (0..ctas).map(|index| cta_at(target.grid, index).unwrap()) {
        let mut ranges = Ranges::new();
        for thread in 0..width * height * depth {
            let inside = [thread % width, thread / width % height, thread / width / height];
            let at = [0, 1, 2].map(|axis: usize| cta[axis] * block[axis] + inside[axis]);
            if let Some((line, offset)) = place(at) {
                stores.push(Stored { cta, thread, site: (line, 0), offset, bytes: 4 });
                ranges.push((offset, offset + 4));
            }
        }
        ranges.sort_unstable();
        seen.push(Seen { cta, ranges });
    }
    let forms = coordinates::fit(&stores, target, block);
    let form = forms.into_iter().find(|form| holds(std::slice::from_ref(form), &seen, target))?;
    Some(form.toml("out", block))
}

#[test]
fn threads_that_store_at_their_place_in_the_grid_or_not_at_all_have_a_tile() {
    // The faces of a cube, each by a store of its own.
    let cube = target([2, 2, 4], 16 * 16 * 16 * 4);
    let faces = |[x, y, z]: [u32; 3]| {
        let line = [z, y, x].into_iter().position(|at| at == 0 || at == 15)?;
        Some((line as u32, u64::from((z * 16 + y) * 16 + x) * 4))
    };
    assert_eq!(
        of_threads(&cube, [8, 8, 4], faces).unwrap(),
        r#"{ buffer = "out", tile = [8, 8, 4], size = [16, 16, 16], element = 4 }"#
    );
    // The upper triangle of 50 columns, one CTA wide; and the same with x along the rows.
    let square = target([1, 13, 1], 10_000);
    let upper = |[x, y, _]: [u32; 3]| (x > y && x < 50 && y < 50).then_some((1, u64::from(y * 50 + x) * 4));
    assert_eq!(
        of_threads(&square, [64, 4, 1], upper).unwrap(),
        r#"{ buffer = "out", tile = [64, 4], size = [50, 50], element = 4 }"#
    );
    let lower = |[x, y, _]: [u32; 3]| (y > x && x < 50 && y < 50).then_some((1, u64::from(x * 50 + y) * 4));
    assert_eq!(
        of_threads(&square, [64, 4, 1], lower).unwrap(),
        r#"{ buffer = "out", tile = [4, 64], size = [50, 50], element = 4, axes = ["y", "x"] }"#
    );
    // Rows of 60 in a pitch of 64, from byte 256 on.
    let padded = target([2, 2, 1], 256 + 32 * 256);
    let some = |[x, y, _]: [u32; 3]| (x < 60 && (x * 7 + y) % 3 != 0).then_some((1, u64::from(y * 64 + x) * 4 + 256));
    assert_eq!(
        of_threads(&padded, [32, 16, 1], some).unwrap(),
        r#"{ buffer = "out", base = 256, tile = [32, 16], size = [64, 32], element = 4 }"#
    );
}

#[test]
fn threads_that_store_elsewhere_have_no_tile() {
    let square = target([4, 4, 1], 4096 * 4);
    let hashed = |[x, y, _]: [u32; 3]| Some((1, u64::from((x * 37 + y * 101) % 4096) * 4));
    assert_eq!(of_threads(&square, [8, 8, 1], hashed), None);
    let diagonal = |[x, y, _]: [u32; 3]| (x == y).then_some((1, u64::from(x) * 4));
    assert_eq!(of_threads(&square, [8, 8, 1], diagonal), None);
    assert_eq!(of_threads(&square, [8, 8, 1], |_| None), None);
}
