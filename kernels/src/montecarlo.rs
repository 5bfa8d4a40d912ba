//! Price of an Asian option by simulation: `cuda/montecarlo.cu`.

use crate::{
    Job, JobError, LaunchDraft, ProgramDraft, data,
    maths::{exponential, logarithm, sine_cosine},
    philox::philox,
};

/// The PTX.
pub const PTX: &[u8] = include_bytes!("../ptx/montecarlo.ptx");

const DATES: u32 = 16;
const THREADS: usize = 256;

/// An Asian call option and the market it is priced in.
#[derive(Clone, Copy)]
pub struct Terms {
    /// Price of the asset today.
    pub spot: f32,
    /// What the average is compared with.
    pub strike: f32,
    /// Of the logarithm of the price, per date.
    pub drift: f32,
    /// Standard deviation of the logarithm of the price, per date.
    pub spread: f32,
    /// Worth today of 1 at the last date.
    pub discount: f64,
}

/// What the job file prices.
pub const TERMS: Terms =
    Terms { spot: 100.0, strike: 100.0, drift: -0.000_078_125, spread: 0.0625, discount: 0.970_445_533_548_508_2 };
const SEED: [u32; 2] = [20_240_229, 0];

fn normal(a: u32, b: u32) -> [f32; 2] {
    let uniform = ((a >> 8) as f32).mul_add(f32::from_bits(0x3380_0000), f32::from_bits(0x3300_0000));
    let radius = (-2.0 * logarithm(uniform)).sqrt();
    let (sine, cosine) = sine_cosine(b);
    [radius * cosine, radius * sine]
}

/// What path number `path` pays.
pub fn payoff(terms: &Terms, path: u32, seed: [u32; 2]) -> f32 {
    let (mut price, mut total) = (terms.spot, 0.0f32);
    for four in 0..DATES / 4 {
        let random = philox([path, four, 0, 0], seed);
        let steps = [normal(random[0], random[1]), normal(random[2], random[3])];
        for step in steps.into_iter().flatten() {
            price *= exponential(terms.spread.mul_add(step, terms.drift));
            total += price;
        }
    }
    (total * (1.0 / DATES as f32) - terms.strike).max(0.0)
}

type Sums = [f64; 2];

fn tree(mut sums: Vec<Sums>) -> Sums {
    let mut half = THREADS / 2;
    while half > 0 {
        for i in 0..half {
            sums[i] = [sums[i][0] + sums[i + half][0], sums[i][1] + sums[i + half][1]];
        }
        half /= 2;
    }
    sums[0]
}

/// The sums of each CTA.
pub fn simulate(terms: &Terms, seed: [u32; 2], ctas: usize, paths_per_thread: usize) -> Vec<Sums> {
    let thread = |cta: usize, thread: usize| {
        let first = cta * THREADS * paths_per_thread + thread;
        (0..paths_per_thread).fold([0.0f64, 0.0f64], |[sum, square], i| {
            let value = f64::from(payoff(terms, (first + i * THREADS) as u32, seed));
            [sum + value, value.mul_add(value, square)]
        })
    };
    (0..ctas).map(|cta| tree((0..THREADS).map(|i| thread(cta, i)).collect())).collect()
}

/// The price and its standard error.
pub fn average(partial: &[Sums], discount: f64, paths: f64) -> [f64; 2] {
    let thread = |thread: usize| {
        partial
            .iter()
            .skip(thread)
            .step_by(THREADS)
            .fold([0.0f64, 0.0], |sum, sums| [sum[0] + sums[0], sum[1] + sums[1]])
    };
    let [payoff, square] = tree((0..THREADS).map(thread).collect());
    let mean = payoff / paths;
    let variance = square / paths - mean * mean;
    [discount * mean, discount * (variance / paths).sqrt()]
}

/// The price from `ctas` · 256 · `paths_per_thread` paths.
pub fn job(ctas: usize, paths_per_thread: usize) -> Result<Job, JobError> {
    let paths = (ctas * THREADS * paths_per_thread) as f64;
    let mut draft = ProgramDraft::new("montecarlo", PTX);
    let partial = draft.zeros(ctas * 16);
    let result = draft.zeros(16);
    draft.launch(
        LaunchDraft::line("simulate", ctas, THREADS as u32)
            .pointer(partial)
            .structure(data::bytes(&[TERMS.spot, TERMS.strike, TERMS.drift, TERMS.spread]))?
            .structure(data::bytes(&SEED))?
            .int(paths_per_thread)
            .range(partial, 16),
    );
    draft.launch(
        LaunchDraft::line("average", 1, THREADS as u32)
            .pointer(partial)
            .int(ctas)
            .pointer(result)
            .double(TERMS.discount)
            .double(paths)
            .first_owns(result, 16),
    );
    let sums = simulate(&TERMS, SEED, ctas, paths_per_thread);
    draft.expect(result, data::bytes(&average(&sums, TERMS.discount, paths)));
    draft.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The option on the geometric average has a closed price, a little below.
    #[test]
    fn the_price_lies_just_above_that_of_the_geometric_average() {
        let n = f64::from(DATES);
        let (rate, volatility) = (0.03f64, 0.25f64);
        let mean = (rate - volatility * volatility / 2.0) * (n + 1.0) / (2.0 * n);
        let deviation = volatility * ((n + 1.0) * (2.0 * n + 1.0) / (6.0 * n * n)).sqrt();
        let below = |x: f64| {
            // Integral of the density by Simpson's rule.
            let (low, steps) = (-10.0, 4000);
            let h = (x - low) / f64::from(steps);
            let density = |t: f64| (-t * t / 2.0).exp() / std::f64::consts::TAU.sqrt();
            (0..=steps)
                .map(|i| {
                    density(low + f64::from(i) * h)
                        * if i == 0 || i == steps {
                            1.0
                        } else if i % 2 == 1 {
                            4.0
                        } else {
                            2.0
                        }
                })
                .sum::<f64>()
                * h
                / 3.0
        };
        let (d1, d2) = ((mean + deviation * deviation) / deviation, mean / deviation);
        let geometric = TERMS.discount * 100.0 * ((mean + deviation * deviation / 2.0).exp() * below(d1) - below(d2));

        let [price, error] = average(&simulate(&TERMS, SEED, 128, 8), TERMS.discount, 262_144.0);
        assert!(price > geometric, "{price} {geometric}");
        assert!(price < geometric + 0.5, "{price} {geometric}");
        assert!(error > 0.01 && error < 0.03, "{error}");
    }
}
