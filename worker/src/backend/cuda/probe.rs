//! Is there a GPU that can be trusted? Rung by rung, so that the answer says what is missing.

use super::device;
use cudarc::driver::{CudaContext, DriverError, result};
use serde::{Deserialize, Serialize};
use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// The oldest driver whose interface is the one that this program was built for.
const OLDEST_DRIVER: i32 = 13_000;
/// How long the probe may take.
const LIMIT: Duration = Duration::from_secs(60);

/// A GPU that counted right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gpu {
    /// Its place among the machine's devices.
    pub ordinal: u32,
    /// Its name.
    pub name: String,
    /// Compute capability.
    pub compute: (i32, i32),
    /// The CUDA version of the driver: 1000 · major + 10 · minor.
    pub driver: i32,
    /// Bytes of memory.
    pub memory: u64,
}

/// Why there is no GPU to use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum GpuAbsence {
    /// No driver library.
    #[error("there is no CUDA driver on this machine")]
    NoDriver,
    /// The driver does not start.
    #[error("the CUDA driver does not start: {0}")]
    Broken(String),
    /// The driver is older than the bindings.
    #[error("the CUDA driver is of version {found}, {OLDEST_DRIVER} or later is needed")]
    DriverTooOld {
        /// Its version.
        found: i32,
    },
    /// The driver has no device.
    #[error("the CUDA driver finds no device")]
    NoDevice,
    /// A device fails, or computes wrongly.
    #[error("GPU {ordinal} fails: {reason}")]
    Faulty {
        /// Its place.
        ordinal: u32,
        /// How.
        reason: String,
    },
    /// The probe itself crashed, hung or cannot be started.
    #[error("the probe did not end well: {0}")]
    Probe(String),
}

/// What the probing child prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// GPUs that can be used.
    Gpus(Vec<Gpu>),
    /// There are none.
    Absent(GpuAbsence),
}

/// Probes in a child process of `program`, the `assay-worker` executable.
pub fn probe(program: &Path) -> Result<Vec<Gpu>, GpuAbsence> {
    if !device::is_present() {
        return Err(GpuAbsence::NoDriver);
    }
    let failed = |error: std::io::Error| GpuAbsence::Probe(error.to_string());
    let mut child = Command::new(program)
        .args(["probe", "--json"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    let start = Instant::now();
    let status = loop {
        match child.try_wait().map_err(failed)? {
            Some(status) => break status,
            None if start.elapsed() > LIMIT => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(GpuAbsence::Probe(format!("no answer within {LIMIT:?}")));
            }
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    let mut text = String::new();
    if let Some(mut output) = child.stdout.take() {
        std::io::Read::read_to_string(&mut output, &mut text).map_err(failed)?;
    }
    match serde_json::from_str(&text) {
        Ok(Report::Gpus(gpus)) => Ok(gpus),
        Ok(Report::Absent(absence)) => Err(absence),
        Err(_) => Err(GpuAbsence::Probe(format!("it ended with {status}"))),
    }
}

/// Probes in this process, which a bad driver may end.
pub fn probe_here() -> Result<Vec<Gpu>, GpuAbsence> {
    if !device::is_present() {
        return Err(GpuAbsence::NoDriver);
    }
    let broken = |error: DriverError| GpuAbsence::Broken(error.to_string());
    result::init().map_err(broken)?;
    let found = device::driver_version().map_err(broken)?;
    if found < OLDEST_DRIVER {
        return Err(GpuAbsence::DriverTooOld { found });
    }
    let count = CudaContext::device_count().map_err(broken)?;
    let gpus =
        (0..u32::try_from(count).unwrap_or(0)).map(|ordinal| one(ordinal, found)).collect::<Result<Vec<_>, _>>()?;
    if gpus.is_empty() { Err(GpuAbsence::NoDevice) } else { Ok(gpus) }
}

fn one(ordinal: u32, driver_version: i32) -> Result<Gpu, GpuAbsence> {
    let faulty = |reason: String| GpuAbsence::Faulty { ordinal, reason };
    let driver = |error: DriverError| faulty(error.to_string());
    let context = CudaContext::new(ordinal as usize).map_err(driver)?;
    if !device::self_test(&context).map_err(driver)? {
        return Err(faulty("a kernel that counts counted wrongly".into()));
    }
    Ok(Gpu {
        ordinal,
        name: context.name().map_err(driver)?,
        compute: context.compute_capability().map_err(driver)?,
        driver: driver_version,
        memory: context.total_mem().map_err(driver)? as u64,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn without_a_driver_the_probe_answers_with_a_typed_absence_and_does_not_panic() {
        if device::is_present() {
            return;
        }
        assert_eq!(probe_here(), Err(GpuAbsence::NoDriver));
        assert_eq!(probe(Path::new("/no/such/program")), Err(GpuAbsence::NoDriver));
    }

    #[test]
    fn what_the_child_prints_reads_back() {
        let gpu = Gpu { ordinal: 1, name: "GPU".into(), compute: (9, 0), driver: 13_000, memory: 1 << 37 };
        for report in [
            Report::Gpus(vec![gpu]),
            Report::Absent(GpuAbsence::DriverTooOld { found: 12_040 }),
            Report::Absent(GpuAbsence::Faulty { ordinal: 0, reason: "x".into() }),
        ] {
            let text = serde_json::to_string(&report).unwrap();
            assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
        }
    }
}
