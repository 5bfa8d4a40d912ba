//! Writes every job down for `host/check.py`: `cargo run --release -p assay-kernels --bin export -- FOLDER`.

use std::{fmt::Write as _, fs, path::PathBuf};

use assay_primitives::Arg;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("usage: export FOLDER")?);
    for job in assay_kernels::all()? {
        let place = folder.join(job.name);
        fs::create_dir_all(&place)?;
        let mut text = String::new();
        for (index, bytes) in job.buffers.iter().enumerate() {
            writeln!(text, "buffer {}", bytes.len())?;
            fs::write(place.join(format!("before.{index}")), bytes)?;
        }
        for index in 0..u32::try_from(job.program.launches())? {
            let placed = job.program.launch(index).ok_or("no such launch")?;
            let launch = placed.launch;
            let numbers = |three: [u32; 3]| three.map(|n| n.to_string()).join(" ");
            let name = std::str::from_utf8(&launch.entry)?;
            write!(text, "launch {name} {} {} {}", numbers(launch.grid), numbers(launch.block), launch.args.len())?;
            for arg in &launch.args {
                let bytes = match arg {
                    Arg::Buffer { index, offset } => {
                        write!(text, " {index}+{offset}")?;
                        continue;
                    }
                    Arg::U8(value) => vec![*value],
                    Arg::U16(value) => value.to_le_bytes().to_vec(),
                    Arg::U32(value) | Arg::F32(value) => value.to_le_bytes().to_vec(),
                    Arg::U64(value) | Arg::F64(value) => value.to_le_bytes().to_vec(),
                    Arg::Bytes(bytes) => bytes.to_vec(),
                    Arg::Record { bytes, pointers } => {
                        // Bytes, and in brackets where the addresses of which buffers go.
                        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                        write!(text, " x{digits}")?;
                        for pointer in pointers {
                            write!(text, "[{}:{}+{}", pointer.at, pointer.index, pointer.offset)?;
                        }
                        continue;
                    }
                    Arg::Iteration => u64::from(placed.iteration).to_le_bytes().to_vec(),
                };
                write!(text, " x")?;
                for byte in bytes {
                    write!(text, "{byte:02x}")?;
                }
            }
            writeln!(text)?;
        }
        for (index, bytes) in &job.expected {
            writeln!(text, "expect {index}")?;
            fs::write(place.join(format!("after.{index}")), bytes)?;
        }
        fs::write(place.join("job.txt"), text)?;
    }
    Ok(())
}
