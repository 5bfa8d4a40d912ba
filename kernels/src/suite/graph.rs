//! `cuda/suite/graph.cu`

use crate::{
    Job, JobError, LaunchDraft, ProgramDraft,
    data::{Random, bytes, random_f32, random_f64},
};

const PTX: &[u8] = include_bytes!("../../ptx/suite/graph.ptx");

pub fn jobs() -> Result<Vec<Job>, JobError> {
    Ok(vec![
        spmv_scalar()?,
        spmv_vector()?,
        spmv_ell()?,
        bfs()?,
        relax()?,
        page_rank()?,
        floyd_warshall()?,
        triangles()?,
    ])
}

/// Rows of sorted, distinct columns.
struct Sparse {
    rows: Vec<Vec<u32>>,
}

impl Sparse {
    /// `n` rows of 0 to `most` entries.
    fn random(seed: u64, n: usize, most: usize) -> Self {
        let mut random = Random::new(seed);
        let rows = (0..n)
            .map(|_| {
                let entries = random.below(most as u64 + 1, 1)[0] as usize;
                let mut row = random.below(n as u64, entries);
                row.sort_unstable();
                row.dedup();
                row
            })
            .collect();
        Self { rows }
    }

    /// With every edge in both directions and none from a vertex to itself.
    fn mutual(self) -> Self {
        let mut rows = vec![Vec::new(); self.rows.len()];
        for (v, row) in self.rows.iter().enumerate() {
            for u in row.iter().filter(|u| **u as usize != v) {
                rows[v].push(*u);
                rows[*u as usize].push(v as u32);
            }
        }
        for row in &mut rows {
            row.sort_unstable();
            row.dedup();
        }
        Self { rows }
    }

    fn starts(&self) -> Vec<u32> {
        let ends = self.rows.iter().scan(0u32, |end, row| {
            *end += row.len() as u32;
            Some(*end)
        });
        std::iter::once(0).chain(ends).collect()
    }

    fn columns(&self) -> Vec<u32> {
        self.rows.concat()
    }
}

fn line(entry: &'static str, n: usize) -> LaunchDraft {
    LaunchDraft::line(entry, n.div_ceil(64), 64).int(n)
}

fn spmv_scalar() -> Result<Job, JobError> {
    let n = 200;
    let matrix = Sparse::random(1, n, 20);
    let (values, x) = (random_f64(2, matrix.columns().len()), random_f64(3, n));
    let mut draft = ProgramDraft::new("spmv_scalar", PTX);
    let buffers =
        [bytes(&matrix.starts()), bytes(&matrix.columns()), bytes(&values), bytes(&x)].map(|data| draft.data(data));
    let to = draft.zeros(n * 8);
    draft.launch(line("spmv_scalar", n).pointers(&buffers).pointer(to).range(to, 64 * 8));
    let mut values = values.iter();
    let y: Vec<f64> = matrix
        .rows
        .iter()
        .map(|row| {
            row.iter().zip(&mut values).fold(0.0f64, |sum, (column, value)| value.mul_add(x[*column as usize], sum))
        })
        .collect();
    draft.expect(to, bytes(&y));
    draft.finish()
}

fn spmv_vector() -> Result<Job, JobError> {
    let n = 90;
    let matrix = Sparse::random(4, n, 80);
    let (values, x) = (random_f32(5, matrix.columns().len()), random_f32(6, n));
    let mut draft = ProgramDraft::new("spmv_vector", PTX);
    let buffers =
        [bytes(&matrix.starts()), bytes(&matrix.columns()), bytes(&values), bytes(&x)].map(|data| draft.data(data));
    let to = draft.zeros(n * 4);
    draft.launch(
        LaunchDraft::line("spmv_vector", n.div_ceil(4), 128).int(n).pointers(&buffers).pointer(to).range(to, 16),
    );
    let starts = matrix.starts();
    let y: Vec<f32> = matrix
        .rows
        .iter()
        .zip(&starts)
        .map(|(row, start)| {
            let mut lanes = [0.0f32; 32];
            for (i, column) in row.iter().enumerate() {
                let value = values[*start as usize + i];
                lanes[i % 32] = value.mul_add(x[*column as usize], lanes[i % 32]);
            }
            let mut sums = lanes.to_vec();
            while sums.len() > 1 {
                let (low, high) = sums.split_at(sums.len() / 2);
                sums = low.iter().zip(high).map(|(a, b)| a + b).collect();
            }
            sums[0]
        })
        .collect();
    draft.expect(to, bytes(&y));
    draft.finish()
}

fn spmv_ell() -> Result<Job, JobError> {
    let (n, width) = (150, 9);
    let matrix = Sparse::random(7, n, width);
    let (values, x) = (random_f32(8, n * width), random_f32(9, n));
    let mut columns = vec![-1i32; n * width];
    for (r, row) in matrix.rows.iter().enumerate() {
        for (k, column) in row.iter().enumerate() {
            columns[k * n + r] = *column as i32;
        }
    }
    let mut draft = ProgramDraft::new("spmv_ell", PTX);
    let buffers = [bytes(&columns), bytes(&values), bytes(&x)].map(|data| draft.data(data));
    let to = draft.zeros(n * 4);
    draft.launch(line("spmv_ell", n).int(width).pointers(&buffers).pointer(to).range(to, 64 * 4));
    let y: Vec<f32> = matrix
        .rows
        .iter()
        .enumerate()
        .map(|(r, row)| row.iter().enumerate().fold(0.0, |sum, (k, c)| sum + values[k * n + r] * x[*c as usize]))
        .collect();
    draft.expect(to, bytes(&y));
    draft.finish()
}

fn bfs() -> Result<Job, JobError> {
    let n = 300;
    let graph = Sparse::random(10, n, 2).mutual();
    let mut levels = vec![-1i32; n];
    levels[0] = 0;
    let mut draft = ProgramDraft::new("bfs", PTX);
    let starts = draft.data(bytes(&graph.starts()));
    let neighbours = draft.data(bytes(&graph.columns()));
    let even = draft.data(bytes(&levels));
    let odd = draft.zeros(n * 4);
    // Both launches of a round look at the level of the round: the second finds no more than the first has copied.
    let step = |from, to| line("bfs", n).pointers(&[starts, neighbours, from, to]).iteration().range(to, 64 * 4);
    draft.repeat(6, vec![step(even, odd), step(odd, even)]);
    let mut queue = std::collections::VecDeque::from([0usize]);
    while let Some(v) = queue.pop_front() {
        for u in &graph.rows[v] {
            if levels[*u as usize] < 0 {
                levels[*u as usize] = levels[v] + 1;
                queue.push_back(*u as usize);
            }
        }
    }
    levels.iter_mut().filter(|level| **level > 6).for_each(|level| *level = -1);
    draft.expect(even, bytes(&levels));
    draft.finish()
}

fn relax() -> Result<Job, JobError> {
    let n = 200;
    let graph = Sparse::random(11, n, 4);
    let lengths = Random::new(12).below(1000, graph.columns().len());
    let mut far = vec![u32::MAX; n];
    far[0] = 0;
    let mut draft = ProgramDraft::new("relax", PTX);
    let starts = draft.data(bytes(&graph.starts()));
    let neighbours = draft.data(bytes(&graph.columns()));
    let weights = draft.data(bytes(&lengths));
    let even = draft.data(bytes(&far));
    let odd = draft.zeros(n * 4);
    let step = |from, to| line("relax", n).pointers(&[starts, neighbours, weights, from, to]).range(to, 64 * 4);
    // Enough rounds for any path.
    draft.repeat(n as u32 / 2, vec![step(even, odd), step(odd, even)]);
    // Dijkstra, over the same incoming edges.
    let mut outgoing = vec![Vec::new(); n];
    let mut length = lengths.iter();
    for (v, row) in graph.rows.iter().enumerate() {
        for (u, length) in row.iter().zip(&mut length) {
            outgoing[*u as usize].push((v, *length));
        }
    }
    let mut queue = std::collections::BTreeSet::from([(0u32, 0usize)]);
    while let Some((distance, v)) = queue.pop_first() {
        for (u, length) in &outgoing[v] {
            if distance + length < far[*u] {
                far[*u] = distance + length;
                queue.insert((far[*u], *u));
            }
        }
    }
    draft.expect(even, bytes(&far));
    draft.finish()
}

fn page_rank() -> Result<Job, JobError> {
    let n = 250;
    let graph = Sparse::random(13, n, 6).mutual();
    let degree: Vec<u32> = graph.rows.iter().map(|row| row.len() as u32).collect();
    let mut rank = vec![1.0 / n as f64; n];
    let mut draft = ProgramDraft::new("page_rank", PTX);
    let graphs = [bytes(&graph.starts()), bytes(&graph.columns()), bytes(&degree)].map(|data| draft.data(data));
    let even = draft.data(bytes(&rank));
    let odd = draft.zeros(n * 8);
    let step = |from, to| line("page_rank", n).pointers(&graphs).pointers(&[from, to]).range(to, 64 * 8);
    draft.repeat(4, vec![step(even, odd), step(odd, even)]);
    for _ in 0..8 {
        rank = graph
            .rows
            .iter()
            .map(|row| {
                let sum = row.iter().fold(0.0, |sum, u| sum + rank[*u as usize] / f64::from(degree[*u as usize]));
                0.15 / n as f64 + 0.85 * sum
            })
            .collect();
    }
    draft.expect(even, bytes(&rank));
    draft.finish()
}

fn floyd_warshall() -> Result<Job, JobError> {
    let n = 40;
    let far = 1 << 28;
    let mut table = vec![far; n * n];
    let mut random = Random::new(14);
    for v in 0..n {
        for (u, length) in random.below(n as u64, 4).into_iter().zip([3, 50, 70, 200]) {
            table[v * n + u as usize] = length;
        }
        table[v * n + v] = 0;
    }
    let mut draft = ProgramDraft::new("floyd_warshall", PTX);
    let even = draft.data(bytes(&table));
    let odd = draft.zeros(n * n * 4);
    let step = |from, to, which| {
        LaunchDraft::plane("floyd_warshall", [n, n], [16, 16]).int(n).pointers(&[from, to]).iteration().int(which).tile(
            to,
            [16, 16],
            [n, n],
            4,
        )
    };
    draft.repeat(n as u32 / 2, vec![step(even, odd, 0), step(odd, even, 1)]);
    for k in 0..n {
        for i in 0..n {
            for j in 0..n {
                table[i * n + j] = table[i * n + j].min(table[i * n + k] + table[k * n + j]);
            }
        }
    }
    draft.expect(even, bytes(&table));
    draft.finish()
}

fn triangles() -> Result<Job, JobError> {
    let n = 120;
    let graph = Sparse::random(15, n, 10).mutual();
    let mut draft = ProgramDraft::new("triangles", PTX);
    let buffers = [bytes(&graph.starts()), bytes(&graph.columns())].map(|data| draft.data(data));
    let to = draft.zeros(n * 4);
    draft.launch(line("triangles", n).pointers(&buffers).pointer(to).range(to, 64 * 4));
    let edge = |a: u32, b: u32| graph.rows[a as usize].contains(&b);
    let count: Vec<u32> = graph
        .rows
        .iter()
        .map(|row| {
            row.iter().enumerate().map(|(i, a)| row[i + 1..].iter().filter(|b| edge(*a, **b)).count() as u32).sum()
        })
        .collect();
    draft.expect(to, bytes(&count));
    draft.finish()
}
