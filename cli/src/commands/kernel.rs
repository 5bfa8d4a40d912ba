//! `assay kernel`.

use std::path::{Path, PathBuf};

use assay_client::{Wait, account::to_ss58, amount, calls::compute};
use assay_primitives::hash;
use serde_json::json;

use super::{Outcome, connect, fee, sign, signer};
use crate::{
    args::KernelCommand,
    error::CliError,
    kernel::{self, BuildError, CheckedEntry},
    term::{self, Style, Term},
    views,
};

pub async fn run(command: KernelCommand, term: &Term) -> Outcome {
    match command {
        KernelCommand::Check { file, json } => {
            let ptx = read(&file)?;
            let entries = check(&file, &ptx)?;
            if json.json {
                term::json(&json!({ "entries": entries }));
            } else {
                print(&file, &ptx, &entries, term);
            }
            verdict(&entries)
        }
        KernelCommand::Build { file, output, arch, ptx_version, no_exact_maths, json } => {
            let compiler = kernel::find_compiler().ok_or(BuildError::NoCompiler)?;
            let kernel::Built { mut ptx, exact_maths } =
                kernel::compile_with(&compiler, &file, &arch, !no_exact_maths)?;
            if !exact_maths && !no_exact_maths {
                term::note("does not compile with the exact maths, so compiled without");
            }
            if let Some(wanted) = ptx_version
                && let Some(lowered) =
                    std::str::from_utf8(&ptx).ok().and_then(|text| kernel::lower_version(text, wanted))
            {
                ptx = lowered.into_bytes();
            }
            let output = output.unwrap_or_else(|| file.with_extension("ptx"));
            std::fs::write(&output, &ptx).map_err(CliError::file(&output))?;
            let entries = check(&output, &ptx)?;
            if json.json {
                term::json(&json!({
                    "file": output,
                    "compiler": compiler.to_string(),
                    "exact_maths": exact_maths,
                    "entries": entries,
                }));
            } else {
                term::note(&format!("{} with {compiler}", output.display()));
                print(&output, &ptx, &entries, term);
            }
            verdict(&entries)
        }
        KernelCommand::Register { file, node, key, json } => {
            let ptx = read(&file)?;
            let entries = check(&file, &ptx)?;
            if !entries.iter().any(|entry| entry.accepted) {
                print(&file, &ptx, &entries, term);
                return Err(CliError::Refused(format!("no entry of {} is accepted", file.display())));
            }
            let signer = signer(&key)?;
            let client = connect(&node).await?;
            let id = hash::plain(&ptx);
            if client.kernel(&id).await?.is_none() {
                let included = client.submit(&compute::register_kernel(&ptx), &signer, Wait::InBlock).await?;
                if !json.json {
                    term::note(&format!(
                        "registered in block {}, fee {}",
                        included.block,
                        amount::display(fee(&included))
                    ));
                }
            } else if !json.json {
                term::note("registered already");
            }
            show(&id, None, &client, json.json, term).await
        }
        KernelCommand::Show { kernel, output, node, json } => {
            show(&kernel, output, &connect(&node).await?, json.json, term).await
        }
        KernelCommand::Retire { kernel, node, key } => {
            sign(&compute::retire_kernel(&kernel), &node, &key).await?;
            term::line("retired; the deposit is free again");
            Ok(())
        }
    }
}

fn read(file: &Path) -> Result<Vec<u8>, CliError> {
    std::fs::read(file).map_err(CliError::file(file))
}

fn check(file: &Path, ptx: &[u8]) -> Result<Vec<CheckedEntry>, CliError> {
    kernel::check(ptx).map_err(|error| CliError::Ptx { path: file.to_owned(), line: error.line, reason: error.reason })
}

fn verdict(entries: &[CheckedEntry]) -> Outcome {
    if entries.iter().all(|entry| entry.accepted) { Ok(()) } else { Err(CliError::Negative) }
}

fn print(file: &Path, ptx: &[u8], entries: &[CheckedEntry], term: &Term) {
    term.title(&file.display().to_string());
    term.facts(&[("blake3", hex::encode(hash::plain(ptx))), ("length", term::bytes(ptx.len() as u64))]);
    if entries.is_empty() {
        term::line("  no entries");
        return;
    }
    let rows: Vec<Vec<String>> = entries
        .iter()
        .map(|entry| {
            let number = |value: Option<u32>| value.map(|value| value.to_string()).unwrap_or_default();
            let verdict =
                if entry.accepted { term.paint(Style::Green, "accepted") } else { term.paint(Style::Red, "rejected") };
            vec![
                entry.name.clone(),
                verdict,
                entry.parameters.len().to_string(),
                number(entry.shared),
                number(entry.local),
                number(entry.max_threads),
            ]
        })
        .collect();
    term.table(&["entry", "verdict", "parameters", "shared", "local", "threads"], &rows);
    for entry in entries.iter().filter(|entry| !entry.accepted) {
        let reason = entry.reason.as_deref().unwrap_or_default();
        let line = entry.line.unwrap_or_default();
        let source = entry.source.as_ref().map(|source| format!(" ({source})")).unwrap_or_default();
        term::line("");
        term::line(&format!("  {}: {reason}", term.paint(Style::Bold, &entry.name)));
        term::line(&format!("  {}", term.paint(Style::Dim, format!("at {}:{line}{source}", file.display()))));
        if let Some(text) =
            String::from_utf8_lossy(ptx).lines().nth(usize::try_from(line).unwrap_or(0).saturating_sub(1))
        {
            term::line(&format!("  {}", term.paint(Style::Dim, format!("│ {}", text.trim()))));
        }
    }
}

async fn show(
    id: &hash::Hash,
    output: Option<PathBuf>,
    client: &assay_client::Client,
    json: bool,
    term: &Term,
) -> Outcome {
    let missing = || CliError::NotFound { what: "kernel", name: hex::encode(id) };
    let view = client.kernel(id).await?.ok_or_else(missing)?;
    if let Some(path) = output {
        let ptx = client.kernel_code(id).await?.ok_or_else(missing)?;
        std::fs::write(&path, ptx).map_err(CliError::file(&path))?;
        term::note(&format!("wrote {}", path.display()));
    }
    if json {
        term::json(&views::kernel(&view));
        return Ok(());
    }
    term.title(&format!("kernel {}", hex::encode(id)));
    term.facts(&[
        ("owner", to_ss58(&view.owner)),
        ("deposit", amount::display(view.deposit)),
        ("length", term::bytes(view.len.into())),
        ("engine", view.engine.to_string()),
        ("entries", view.entries.join(", ")),
    ]);
    Ok(())
}
