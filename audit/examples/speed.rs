#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use assay_audit::*;
use assay_engine::{Module, Outcome};
use assay_primitives::{audit::*, program::Init, slice::Outboard, trace::*};
use std::time::Instant;
struct Held(Vec<Vec<u8>>, Vec<Outboard>);
impl State for Held {
    fn buffer(&self, b: u16) -> Option<&[u8]> {
        self.0.get(b as usize).map(|v| &v[..])
    }
}
impl Snapshot for Held {
    fn outboard(&self, b: u16) -> Option<&Outboard> {
        self.1.get(b as usize)
    }
}
fn main() {
    let only = std::env::args().nth(1);
    for job in assay_kernels::all().unwrap() {
        if only.as_deref().is_some_and(|o| o != job.name) {
            continue;
        }
        let modules: Vec<Module> = job.kernels.iter().map(|p| Module::parse(p).unwrap()).collect();
        let aj = Job { program: &job.program, modules: &modules, fuel: 20_000_000 };
        let ob = job
            .program
            .buffers
            .iter()
            .zip(&job.buffers)
            .map(|(b, d)| if matches!(b.init, Init::Zero) { Outboard::zero(b.len) } else { Outboard::new(d) })
            .collect();
        let before = Held(job.buffers.clone(), ob);
        let mut after = job.buffers.clone();
        let t = Instant::now();
        let (mut steps, mut n) = (0u64, 0u64);
        for i in 0..unit_count(&job.program) {
            let unit = unit_at(&job.program, i).unwrap();
            if unit.launch > 0 {
                break;
            }
            let run = run_cta(&aj, unit, &before, None).unwrap();
            let Outcome::Done { lane_steps, .. } = run.outcome else { panic!("{}: {:?}", job.name, run.outcome) };
            steps += lane_steps;
            n += 1;
            for e in run.effects {
                after[e.buffer as usize][e.offset as usize..][..e.bytes.len()].copy_from_slice(&e.bytes);
            }
        }
        let run_s = t.elapsed().as_secs_f64();
        let ob: Vec<Outboard> = (0..after.len())
            .map(|b| if after[b] == job.buffers[b] { before.1[b].clone() } else { Outboard::new(&after[b]) })
            .collect();
        let after = Held(after, ob);
        let root = |s: &Held| state_root(&s.1.iter().map(|o| o.blob).collect::<Vec<_>>());
        let count = state_count(job.program.launches()).unwrap();
        let mut roots = vec![[0; 32]; count as usize];
        roots[0] = root(&before);
        roots[1] = root(&after);
        let tr = trace_root(&roots).unwrap();
        let (mut wt, mut jt, mut js, mut wb) = (0.0, 0.0, 0u64, 0usize);
        for i in (0..n).step_by((n as usize / 8).max(1)) {
            let unit = unit_at(&job.program, i).unwrap();
            let t = Instant::now();
            let (w, _) = build_witness(
                &aj,
                unit,
                WitnessParts {
                    before: &before,
                    after: &after,
                    before_path: trace_path(&roots, 0).unwrap(),
                    after_path: trace_path(&roots, 1).unwrap(),
                },
            )
            .unwrap();
            wt += t.elapsed().as_secs_f64();
            wb = wb.max(codec::Encode::encoded_size(&w));
            let t = Instant::now();
            let v = judge(&aj, &tr, unit, &w, Some(&[1; 32])).unwrap();
            jt += t.elapsed().as_secs_f64();
            let Verdict::Verified { lane_steps, .. } = v else { panic!("{} {v:?}", job.name) };
            js += lane_steps;
        }
        println!(
            "{:24} units {:6} steps/unit {:9} run {:7.1} M/s  judge {:7.1} M/s  build {:7.1} M/s  witness {}",
            job.name,
            n,
            steps / n,
            steps as f64 / run_s / 1e6,
            js as f64 / jt / 1e6,
            js as f64 / wt / 1e6,
            wb
        );
    }
}
