//! `cuda/suite/physics.cu`

use assay_primitives::Axis;

use crate::{
    Job, JobError, LaunchDraft, ProgramDraft,
    data::{bytes, random_f32, random_f64, random_u8},
    draft::span,
};

const PTX: &[u8] = include_bytes!("../../ptx/suite/physics.ptx");

pub fn jobs() -> Result<Vec<Job>, JobError> {
    Ok(vec![nbody()?, lennard_jones()?, lattice_boltzmann()?, ising()?])
}

fn nbody() -> Result<Job, JobError> {
    let (n, time) = (150, 0.01f32);
    let mut bodies: Vec<[f32; 4]> = random_f32(1, 4 * n).as_chunks().0.to_vec();
    bodies.iter_mut().for_each(|body| body[3] = body[3].abs());
    let mut velocity = vec![[0.0f32; 4]; n];
    let mut draft = ProgramDraft::new("nbody", PTX);
    let even = draft.data(bytes(bodies.as_flattened()));
    let odd = draft.zeros(n * 16);
    let speed = draft.zeros(n * 16);
    let step = |from, to| {
        LaunchDraft::line("nbody", n.div_ceil(64), 64)
            .int(n)
            .pointers(&[from, to, speed])
            .float(time)
            .range(to, 64 * 16)
            .range(speed, 64 * 16)
    };
    draft.repeat(2, vec![step(even, odd), step(odd, even)]);
    for _ in 0..4 {
        // Whole tiles: massless bodies at the origin fill the last one up.
        let mut all = bodies.clone();
        all.resize(n.next_multiple_of(64), [0.0; 4]);
        for (me, v) in bodies.iter_mut().zip(&mut velocity) {
            let mut a = [0.0f32; 3];
            for other in &all {
                let d: [f32; 3] = std::array::from_fn(|i| other[i] - me[i]);
                let square = d[0].mul_add(d[0], d[1].mul_add(d[1], d[2].mul_add(d[2], 0.01)));
                let force = other[3] / (square * square.sqrt());
                a = std::array::from_fn(|i| d[i].mul_add(force, a[i]));
            }
            for i in 0..3 {
                v[i] = a[i].mul_add(time, v[i]);
                me[i] = v[i].mul_add(time, me[i]);
            }
        }
    }
    draft.expect(even, bytes(bodies.as_flattened()));
    draft.expect(speed, bytes(velocity.as_flattened()));
    draft.finish()
}

fn lennard_jones() -> Result<Job, JobError> {
    let (n, most) = (2000, 16);
    let [x, y, z] = [2, 3, 4].map(|seed| random_f64(seed, n));
    let square = |i: usize, j: usize| {
        let d = [x[j] - x[i], y[j] - y[i], z[j] - z[i]];
        d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
    };
    // Some of the listed neighbours lie beyond the cut-off.
    let mut table = vec![-1i32; n * most];
    let near: Vec<Vec<usize>> =
        (0..n).map(|i| (0..n).filter(|j| *j != i && square(i, *j) < 0.4).take(most).collect()).collect();
    for (i, near) in near.iter().enumerate() {
        for (k, j) in near.iter().enumerate() {
            table[k * n + i] = *j as i32;
        }
    }
    let mut draft = ProgramDraft::new("lennard_jones", PTX);
    let buffers = [&x, &y, &z].map(|x| draft.data(bytes(x)));
    let list = draft.data(bytes(&table));
    let to = draft.zeros(n * 8);
    draft.launch(
        LaunchDraft::line("lennard_jones", n.div_ceil(32), 32)
            .int(n)
            .int(most)
            .pointers(&buffers)
            .pointers(&[list, to])
            .range(to, 32 * 8),
    );
    let energy: Vec<f64> = near
        .iter()
        .enumerate()
        .map(|(i, near)| {
            near.iter().map(|j| square(i, *j)).filter(|square| *square < 0.25).fold(0.0, |sum, square| {
                let inverse = 0.0016 / square;
                let sixth = inverse * inverse * inverse;
                sum + 4.0 * sixth * (sixth - 1.0)
            })
        })
        .collect();
    draft.expect(to, bytes(&energy));
    draft.finish()
}

const STEPS: [(i32, i32); 9] = [(0, 0), (1, 0), (0, 1), (-1, 0), (0, -1), (1, 1), (-1, 1), (-1, -1), (1, -1)];

fn lattice_boltzmann() -> Result<Job, JobError> {
    let [w, h] = [24, 20];
    let omega = 1.25f32;
    let share = |i: usize| [4.0f32 / 9.0, 1.0 / 9.0, 1.0 / 36.0][if i == 0 { 0 } else { 1 + (i - 1) / 4 }];
    let noise = random_f32(5, 9 * w * h);
    let mut f: Vec<f32> = noise.iter().enumerate().map(|(i, x)| share(i / (w * h)) * (1.0 + 0.1 * x)).collect();
    let mut draft = ProgramDraft::new("lattice_boltzmann", PTX);
    let even = draft.data(bytes(&f));
    let odd = draft.zeros(f.len() * 4);
    let step = |from, to| {
        let dims = vec![
            span((w * h * 4) as u64, 9, None, 1),
            span((w * 4) as u64, h as u64, Some(Axis::Y), 8),
            span(4, w as u64, Some(Axis::X), 16),
        ];
        LaunchDraft::plane("lattice_boltzmann", [w, h], [16, 8])
            .int(w)
            .int(h)
            .float(omega)
            .pointers(&[from, to])
            .map(to, 0, dims, 4)
    };
    draft.repeat(2, vec![step(even, odd), step(odd, even)]);
    for _ in 0..4 {
        let mut next = vec![0.0; f.len()];
        for here in 0..w * h {
            let (x, y) = ((here % w) as i32, (here / w) as i32);
            let pulled: [f32; 9] = std::array::from_fn(|i| {
                let column = (x - STEPS[i].0).rem_euclid(w as i32) as usize;
                let row = (y - STEPS[i].1).rem_euclid(h as i32) as usize;
                f[(i * h + row) * w + column]
            });
            let (mut density, mut vx, mut vy) = (0.0f32, 0.0f32, 0.0f32);
            for (f, (dx, dy)) in pulled.iter().zip(STEPS) {
                density += f;
                vx += dx as f32 * f;
                vy += dy as f32 * f;
            }
            vx /= density;
            vy /= density;
            let square = 1.5 * (vx * vx + vy * vy);
            for (i, (dx, dy)) in STEPS.into_iter().enumerate() {
                let along = 3.0 * (dx as f32 * vx + dy as f32 * vy);
                let rest = share(i) * density * (1.0 + along + 0.5 * along * along - square);
                next[i * w * h + here] = pulled[i] + omega * (rest - pulled[i]);
            }
        }
        f = next;
    }
    draft.expect(even, bytes(&f));
    draft.finish()
}

fn ising() -> Result<Job, JobError> {
    let [half, h] = [20, 24];
    let thresholds = [u32::MAX, u32::MAX, u32::MAX / 2, u32::MAX / 6, u32::MAX / 36];
    let mut spins = [6, 7]
        .map(|seed| random_u8(seed, half * h).iter().map(|x| if x & 1 == 0 { 1i8 } else { -1 }).collect::<Vec<_>>());
    let mut draft = ProgramDraft::new("ising", PTX);
    let colours = [draft.data(bytes(&spins[0])), draft.data(bytes(&spins[1]))];
    let table = draft.data(bytes(&thresholds));
    let step = |colour: usize| {
        LaunchDraft::plane("ising", [half, h], [16, 8])
            .int(half)
            .int(h)
            .int(colour)
            .pointers(&[colours[1 - colour], colours[colour], table])
            .iteration()
            .tile(colours[colour], [16, 8], [half, h], 1)
    };
    draft.repeat(5, vec![step(0), step(1)]);
    for round in 0..5u32 {
        for colour in 0..2 {
            for i in 0..half * h {
                let (x, y) = (i % half, i / half);
                let others = &spins[1 - colour];
                let side = if (y + colour) % 2 == 1 { (x + 1) % half } else { (x + half - 1) % half };
                let sum = others[(y + 1) % h * half + x]
                    + others[(y + h - 1) % h * half + x]
                    + others[i]
                    + others[y * half + side];
                let random = ((i as u32).wrapping_mul(2_654_435_761) ^ round.wrapping_mul(2_246_822_519))
                    .wrapping_mul(3_266_489_917);
                let random = (random ^ (random >> 15)).wrapping_mul(668_265_263);
                let random = random ^ (random >> 13);
                let spin = &mut spins[colour][i];
                if random < thresholds[((*spin * sum + 4) / 2) as usize] {
                    *spin = -*spin;
                }
            }
        }
    }
    draft.expect(colours[0], bytes(&spins[0]));
    draft.expect(colours[1], bytes(&spins[1]));
    draft.finish()
}
