//! `cuda/suite/picture.cu`

use crate::{Job, JobError, LaunchDraft, ProgramDraft, blur, data::bytes, maths::exponential};

const PTX: &[u8] = include_bytes!("../../ptx/suite/picture.ptx");

pub fn jobs() -> Result<Vec<Job>, JobError> {
    Ok(vec![mandelbrot()?, raymarch_of(96, 64)?, luma()?])
}

fn mandelbrot() -> Result<Job, JobError> {
    let size = [64, 48];
    let (left, top, step, most) = (-0.75, 0.12, 0.000_5, 200u16);
    let mut draft = ProgramDraft::new("mandelbrot", PTX);
    let to = draft.zeros(size[0] * size[1] * 2);
    draft.launch(
        LaunchDraft::plane("mandelbrot", size, [16, 8])
            .int(size[0])
            .int(size[1])
            .double(left)
            .double(top)
            .double(step)
            .int(usize::from(most))
            .pointer(to)
            .tile(to, [16, 8], size, 2),
    );
    let out: Vec<u16> = (0..size[0] * size[1])
        .map(|i| {
            let (cx, cy) = (left + (i % size[0]) as f64 * step, top - (i / size[0]) as f64 * step);
            let (mut x, mut y) = (0.0f64, 0.0f64);
            (0..most)
                .find(|_| {
                    let outside = x * x + y * y > 4.0;
                    (x, y) = (x * x - y * y + cx, 2.0 * x * y + cy);
                    outside
                })
                .unwrap_or(most)
        })
        .collect();
    draft.expect(to, bytes(&out));
    draft.finish()
}

type Vector = [f32; 3];

fn add(a: Vector, b: Vector) -> Vector {
    std::array::from_fn(|i| a[i] + b[i])
}

fn sub(a: Vector, b: Vector) -> Vector {
    std::array::from_fn(|i| a[i] - b[i])
}

fn scale(a: Vector, s: f32) -> Vector {
    a.map(|x| x * s)
}

fn dot(a: Vector, b: Vector) -> f32 {
    a[0].mul_add(b[0], a[1].mul_add(b[1], a[2] * b[2]))
}

fn unit(a: Vector) -> Vector {
    scale(a, 1.0 / dot(a, a).sqrt())
}

fn scene(p: Vector) -> f32 {
    let ball = sub(p, [-1.1, 0.0, 0.3]);
    let first = dot(ball, ball).sqrt() - 0.9;
    let ring = sub(p, [0.9, -0.2, 0.0]);
    let around = ring[0].mul_add(ring[0], ring[2] * ring[2]).sqrt() - 0.8;
    let second = around.mul_add(around, ring[1] * ring[1]).sqrt() - 0.35;
    let h = (0.5 + 0.5 * (second - first) / 0.4).max(0.0).min(1.0);
    let melted = h.mul_add(first - second, second) - 0.4 * h * (1.0 - h);
    (p[1] + 1.0).min(melted)
}

fn slope(p: Vector) -> Vector {
    unit(std::array::from_fn(|axis| {
        let e: Vector = std::array::from_fn(|i| if i == axis { 0.001 } else { 0.0 });
        scene(add(p, e)) - scene(sub(p, e))
    }))
}

fn colour(x: f32, y: f32, width: f32, height: f32) -> Vector {
    let (eye, light) = ([0.0, 0.9, -4.0], unit([0.6, 0.9, -0.5]));
    let ray = unit([(x - 0.5 * width) / height, (0.5 * height - y) / height - 0.15, 1.2]);
    let (mut far, mut steps) = (0.0f32, 0);
    while steps < 96 && far < 20.0 {
        let near = scene(add(eye, scale(ray, far)));
        if near < 0.001 {
            break;
        }
        far += near;
        steps += 1;
    }
    let sky = scale([0.55, 0.7, 0.9], 1.0 - 0.5 * ray[1]);
    if steps == 96 || far >= 20.0 {
        return sky;
    }
    let p = add(eye, scale(ray, far));
    let n = slope(p);
    let (mut shadow, mut along) = (1.0f32, 0.02f32);
    while along < 6.0 && shadow > 0.0 {
        let near = scene(add(p, scale(light, along)));
        shadow = shadow.min(8.0 * near / along);
        along += near.max(0.02);
    }
    let bright = dot(n, light).max(0.0) * shadow.max(0.0);
    let square = (p[0].floor() as i32).wrapping_add(p[2].floor() as i32) & 1 == 1;
    let own = if p[1] < -0.99 { scale([0.5; 3], if square { 1.0 } else { 0.4 }) } else { [0.9, 0.45, 0.2] };
    let fade = exponential(-0.01 * far * far);
    add(scale(scale(own, 0.2 + 0.8 * bright), fade), scale(sky, 1.0 - fade))
}

/// The ray-marched scene as a picture of four bytes a pixel.
pub fn raymarch(width: usize, height: usize) -> Vec<u8> {
    (0..width * height)
        .flat_map(|i| {
            let [r, g, b] = colour((i % width) as f32, (i / width) as f32, width as f32, height as f32)
                .map(|c| (c.max(0.0).min(1.0) * 255.0 + 0.5) as u8);
            [r, g, b, 255]
        })
        .collect()
}

/// The ray-marched scene.
pub fn raymarch_of(width: usize, height: usize) -> Result<Job, JobError> {
    let size = [width, height];
    let mut draft = ProgramDraft::new("raymarch", PTX);
    let to = draft.zeros(width * height * 4);
    draft.launch(LaunchDraft::plane("raymarch", size, [16, 8]).int(width).int(height).pointer(to).tile(
        to,
        [16, 8],
        size,
        4,
    ));
    draft.expect(to, raymarch(width, height));
    draft.finish()
}

fn luma() -> Result<Job, JobError> {
    let picture = blur::photo()?;
    // The upper left corner is enough.
    let size = [150, 70];
    let [w, h] = size;
    let rgba: Vec<u8> = (0..h).flat_map(|y| picture.rgba[y * picture.width * 4..][..w * 4].to_vec()).collect();
    let tiles = [w.div_ceil(16), h.div_ceil(16)];
    let mut draft = ProgramDraft::new("luma", PTX);
    let from = draft.data(rgba.clone());
    let (grey, sums) = (draft.zeros(w * h), draft.zeros(tiles[0] * tiles[1] * 4));
    draft.launch(
        LaunchDraft::plane("luma", size, [16, 16])
            .int(w)
            .int(h)
            .pointers(&[from, grey, sums])
            .tile(grey, [16, 16], size, 1)
            .tile(sums, [1, 1], tiles, 4),
    );
    let values: Vec<u8> = rgba
        .chunks_exact(4)
        .map(|p| ((77 * u32::from(p[0]) + 150 * u32::from(p[1]) + 29 * u32::from(p[2]) + 128) >> 8) as u8)
        .collect();
    let mut totals = vec![0u32; tiles[0] * tiles[1]];
    for (i, value) in values.iter().enumerate() {
        totals[i / w / 16 * tiles[0] + i % w / 16] += u32::from(*value);
    }
    draft.expect(grey, values);
    draft.expect(sums, bytes(&totals));
    draft.finish()
}
