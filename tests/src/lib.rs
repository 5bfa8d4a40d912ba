//! What the end-to-end tests stand on: a chain, workers and the command line as child processes, each in a folder of its
//! own, stopped when dropped. Nothing here knows the inside of any of them.

mod chain;
mod customer;
pub mod process;
mod worker;

pub use chain::Chain;
pub use customer::{Customer, Outcome};
pub use worker::{Sabotage, Worker};

use std::{
    net::TcpListener,
    path::PathBuf,
    thread::sleep,
    time::{Duration, Instant},
};

/// The folder of the built programs: `ASSAY_PROGRAMS`, or the tests' own build folder.
pub fn programs() -> anyhow::Result<PathBuf> {
    if let Some(folder) = std::env::var_os("ASSAY_PROGRAMS") {
        return Ok(PathBuf::from(folder));
    }
    let test = std::env::current_exe()?;
    let deps = test.parent().ok_or_else(|| anyhow::anyhow!("the test has no folder"))?;
    let release = deps.parent().ok_or_else(|| anyhow::anyhow!("the test's folder has no parent"))?;
    for name in ["assay-node", "assay-worker", "assay", "chain-spec/development.json"] {
        anyhow::ensure!(release.join(name).exists(), "{} is not built: run ./x build", release.join(name).display());
    }
    Ok(release.to_path_buf())
}

/// The checkout: under cargo the one that is tested, which may share its build folder with others.
pub fn checkout() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    PathBuf::from(here).join("..")
}

/// A TCP port of the loopback interface that nobody listens on.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Asks `probe` every 200 ms until it answers with a value; fails with `what` after `limit`.
pub fn wait_for<T>(
    what: &str,
    limit: Duration,
    mut probe: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let start = Instant::now();
    loop {
        let last = match probe() {
            Ok(Some(value)) => return Ok(value),
            Ok(None) => None,
            Err(error) => Some(error),
        };
        if start.elapsed() > limit {
            return Err(match last {
                Some(error) => error.context(format!("{what}: not within {limit:?}")),
                None => anyhow::anyhow!("{what}: not within {limit:?}"),
            });
        }
        sleep(Duration::from_millis(200));
    }
}
