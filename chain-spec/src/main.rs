//! Writes the chain specifications that the node finds beside itself: the runtime's Wasm and one of its genesis presets
//! each. Building a genesis compiles the Wasm, which takes seconds; a fingerprint beside the files says when there is
//! nothing to do.

use anyhow::{Context, bail};
use clap::Parser;
use sc_service::{ChainType, GenericChainSpec, Properties};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Writes Assay's chain specifications.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    /// Folder to write to [default: chain-spec beside this program].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Write the genesis as the preset's settings rather than as storage: readable, but each start of a node builds the
    /// storage from it.
    #[arg(long)]
    plain: bool,

    /// Write the runtime's compressed Wasm to this file too, as upgrades need it.
    #[arg(long, value_name = "FILE")]
    wasm: Option<PathBuf>,
}

/// A chain that anyone can start: a preset of the runtime's genesis, and what people call it.
struct Chain {
    preset: &'static str,
    name: &'static str,
    id: &'static str,
    kind: ChainType,
}

const CHAINS: [Chain; 2] = [
    Chain { preset: "development", name: "Assay Development", id: "assay_dev", kind: ChainType::Development },
    Chain { preset: "local_testnet", name: "Assay Local Testnet", id: "assay_local", kind: ChainType::Local },
];

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let Some(wasm) = assay_runtime::wasm::WASM_BINARY else {
        bail!("this program was built without the runtime's Wasm: build it again without SKIP_WASM_BUILD");
    };
    let out = match cli.out {
        Some(out) => out,
        None => beside_this_program()?,
    };
    fs::create_dir_all(&out).with_context(|| format!("cannot make {}", out.display()))?;
    let mark = out.join(".fingerprint");
    if fs::read(&mark).is_ok_and(|old| fingerprint(&out, wasm, cli.plain).is_some_and(|now| now == old)) {
        println!("{} is up to date", out.display());
    } else {
        write_specifications(&out, wasm, cli.plain)?;
        let now = fingerprint(&out, wasm, cli.plain).context("the specifications vanished as they were written")?;
        write_if_changed(&mark, &now)?;
    }
    if let Some(path) = cli.wasm {
        write_if_changed(&path, wasm)?;
    }
    Ok(())
}

fn beside_this_program() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    let folder = program.parent().context("this program's path has no folder")?;
    Ok(folder.join("chain-spec"))
}

/// What the files were made from, and what they are; `None` when one is missing.
fn fingerprint(out: &Path, wasm: &[u8], plain: bool) -> Option<Vec<u8>> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(env!("CARGO_PKG_VERSION").as_bytes()).update(&[plain.into()]).update(blake3::hash(wasm).as_bytes());
    for chain in CHAINS {
        let file = fs::read(out.join(format!("{}.json", chain.preset))).ok()?;
        hasher.update(blake3::hash(&file).as_bytes());
    }
    Some(hasher.finalize().to_hex().as_bytes().to_vec())
}

/// Writes every chain's specification, all at once: each compiles the Wasm for itself.
fn write_specifications(out: &Path, wasm: &[u8], plain: bool) -> anyhow::Result<()> {
    std::thread::scope(|scope| {
        let writers = CHAINS.map(|chain| {
            scope.spawn(move || {
                let json = specification(&chain, wasm, plain)?;
                write_if_changed(&out.join(format!("{}.json", chain.preset)), json.as_bytes())
            })
        });
        for writer in writers {
            writer.join().map_err(|_| anyhow::anyhow!("the runtime panicked as it built its genesis"))??;
        }
        Ok(())
    })
}

fn specification(chain: &Chain, wasm: &[u8], plain: bool) -> anyhow::Result<String> {
    let mut properties = Properties::new();
    properties.insert("tokenSymbol".into(), "ASSAY".into());
    properties.insert("tokenDecimals".into(), 12.into());
    properties.insert("ss58Format".into(), 42.into());
    let spec: GenericChainSpec = GenericChainSpec::builder(wasm, None)
        .with_name(chain.name)
        .with_id(chain.id)
        .with_chain_type(chain.kind.clone())
        .with_protocol_id("assay")
        .with_properties(properties)
        .with_genesis_config_preset_name(chain.preset)
        .build();
    spec.as_json(!plain).map_err(|error| anyhow::anyhow!("the preset {} does not build: {error}", chain.preset))
}

fn write_if_changed(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    if fs::read(path).is_ok_and(|old| old == content) {
        println!("{} is up to date", path.display());
        return Ok(());
    }
    // A node that starts meanwhile finds the old file or the new one, never half of it.
    let partial = path.with_extension("partial");
    fs::write(&partial, content).with_context(|| format!("cannot write {}", partial.display()))?;
    fs::rename(&partial, path).with_context(|| format!("cannot write {}", path.display()))?;
    println!("wrote {}", path.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_is_rewritten_only_when_its_content_changes() {
        let path = std::env::temp_dir().join(format!("assay-chain-spec-{}.json", std::process::id()));
        write_if_changed(&path, b"one").unwrap();
        let written = fs::metadata(&path).unwrap().modified().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        write_if_changed(&path, b"one").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), written);
        write_if_changed(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        fs::remove_file(&path).unwrap();
    }
}
