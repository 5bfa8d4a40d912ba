//! `cuda/suite/exact.cu`

use crate::{
    Job, JobError, LaunchDraft, ProgramDraft,
    data::{bytes, random_f32, random_f64},
    exact,
};

const PTX: &[u8] = include_bytes!("../../ptx/suite/exact.ptx");
const N: usize = 1000;
const ROW: usize = 16;

pub fn jobs() -> Result<Vec<Job>, JobError> {
    Ok(vec![softmax_rows()?, gelu_tanh()?, rms_rows()?, gamma_correct()?, entropy()?, black_scholes()?])
}

/// 1000 threads in CTAs of 128.
fn line(entry: &'static str) -> LaunchDraft {
    LaunchDraft::line(entry, N.div_ceil(128), 128).int(N)
}

fn softmax_rows() -> Result<Job, JobError> {
    let x: Vec<f32> = random_f32(1, N * ROW).iter().map(|x| x * 20.0).collect();
    let mut draft = ProgramDraft::new("softmax_rows", PTX);
    let from = draft.data(bytes(&x));
    let to = draft.zeros(x.len() * 4);
    draft.launch(line("softmax_rows").pointers(&[from, to]).range(to, 128 * ROW * 4));
    let y: Vec<f32> = x
        .chunks_exact(ROW)
        .flat_map(|row| {
            let top = row.iter().copied().fold(row[0], f32::max);
            let e: Vec<f32> = row.iter().map(|x| exact::exp(x - top)).collect();
            let sum = e.iter().fold(0.0, |sum, e| sum + e);
            e.into_iter().map(move |e| e / sum)
        })
        .collect();
    draft.expect(to, bytes(&y));
    draft.finish()
}

fn gelu_tanh() -> Result<Job, JobError> {
    let x: Vec<f32> = random_f32(2, N).iter().map(|x| x * 6.0).collect();
    let mut draft = ProgramDraft::new("gelu_tanh", PTX);
    let from = draft.data(bytes(&x));
    let to = draft.zeros(N * 4);
    draft.launch(line("gelu_tanh").pointers(&[from, to]).range(to, 128 * 4));
    let one = |x: f32| 0.5 * x * (1.0 + exact::tanh(0.797_884_56 * (x + 0.044_715 * x * x * x)));
    draft.expect(to, bytes(&x.into_iter().map(one).collect::<Vec<_>>()));
    draft.finish()
}

fn rms_rows() -> Result<Job, JobError> {
    let x = random_f32(3, N * ROW);
    let mut draft = ProgramDraft::new("rms_rows", PTX);
    let from = draft.data(bytes(&x));
    let to = draft.zeros(x.len() * 4);
    draft.launch(line("rms_rows").pointers(&[from, to]).range(to, 128 * ROW * 4));
    let y: Vec<f32> = x
        .chunks_exact(ROW)
        .flat_map(|row| {
            let sum = row.iter().fold(0.0, |sum, x| sum + x * x);
            let factor = exact::rsqrt(sum / ROW as f32 + 1e-5);
            row.iter().map(move |x| x * factor)
        })
        .collect();
    draft.expect(to, bytes(&y));
    draft.finish()
}

fn gamma_correct() -> Result<Job, JobError> {
    let x: Vec<f32> = random_f32(4, N).iter().map(|x| x.abs() + 1e-6).collect();
    let exponent = 1.0 / 2.2;
    let mut draft = ProgramDraft::new("gamma_correct", PTX);
    let from = draft.data(bytes(&x));
    let to = draft.zeros(N);
    draft.launch(line("gamma_correct").float(exponent).pointers(&[from, to]).range(to, 128));
    let y: Vec<u8> = x.iter().map(|x| (255.0 * exact::pow(*x, exponent) + 0.5) as u8).collect();
    draft.expect(to, bytes(&y));
    draft.finish()
}

fn entropy() -> Result<Job, JobError> {
    let x = random_f64(5, N);
    let mut draft = ProgramDraft::new("entropy", PTX);
    let from = draft.data(bytes(&x));
    let to = draft.zeros(N * 8);
    draft.launch(line("entropy").pointers(&[from, to]).range(to, 128 * 8));
    let one = |x: f64| if x > 0.0 { -x * exact::log_f64(x) * exact::pow_f64(x, 0.3) } else { 0.0 };
    draft.expect(to, bytes(&x.into_iter().map(one).collect::<Vec<_>>()));
    draft.finish()
}

fn black_scholes() -> Result<Job, JobError> {
    let spot: Vec<f32> = random_f32(6, N).iter().map(|x| 100.0 + 50.0 * x).collect();
    let strike: Vec<f32> = random_f32(7, N).iter().map(|x| 100.0 + 50.0 * x).collect();
    let years: Vec<f32> = random_f32(8, N).iter().map(|x| 1.5 + x).collect();
    let (rate, volatility) = (0.03f32, 0.25f32);
    let mut draft = ProgramDraft::new("black_scholes", PTX);
    let from = [&spot, &strike, &years].map(|numbers| draft.data(bytes(numbers)));
    let to = draft.zeros(N * 4);
    let launch = line("black_scholes").float(rate).float(volatility).pointers(&from).pointer(to);
    draft.launch(launch.range(to, 128 * 4));
    let one = |((spot, strike), years): ((&f32, &f32), &f32)| {
        let root = volatility * years.sqrt();
        let d1 = (exact::log(spot / strike) + (rate + 0.5 * volatility * volatility) * years) / root;
        let d2 = d1 - root;
        let n1 = 0.5 * exact::erfc(-std::f32::consts::FRAC_1_SQRT_2 * d1);
        let n2 = 0.5 * exact::erfc(-std::f32::consts::FRAC_1_SQRT_2 * d2);
        spot * n1 - strike * exact::exp(-rate * years) * n2
    };
    draft.expect(to, bytes(&spot.iter().zip(&strike).zip(&years).map(one).collect::<Vec<_>>()));
    draft.finish()
}
