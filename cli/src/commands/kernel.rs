//! `assay kernel`.

use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
};

use assay_client::{Wait, account::to_ss58, amount, calls::compute};
use assay_exact::Exact;
use assay_primitives::hash;
use serde_json::json;

use super::{Outcome, check, connect, fee, sign, signer, watch};
use crate::{
    args::KernelCommand,
    error::CliError,
    kernel::{self, BuildError},
    term::{self, Term},
    views,
};

pub async fn run(command: KernelCommand, term: &Term) -> Outcome {
    match command {
        KernelCommand::Check { files, no_exact_maths, json } => check::run(&files, !no_exact_maths, json.json, term),
        KernelCommand::Exact { file, output } => exact(&file, output),
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
            let checked = check::of(&output, ptx, !no_exact_maths)?;
            std::fs::write(&output, &checked.prepared.ptx).map_err(CliError::file(&output))?;
            if json.json {
                term::json(&json!({
                    "file": output,
                    "compiler": compiler.to_string(),
                    "exact_maths": exact_maths,
                    "entries": checked.entries,
                }));
            } else {
                term::note(&format!("{} with {compiler}", output.display()));
                check::print(&checked, term);
            }
            check::verdict(&checked.entries)
        }
        KernelCommand::Run { job, unit, trace, thread, limit, fuel, json } => {
            let watching = watch::Watching { trace, thread, limit, fuel };
            watch::run(&super::load(&job)?, unit, &watching, json.json, term)
        }
        KernelCommand::Register { file, no_exact_maths, node, key, json } => {
            let checked = check::load(&file, !no_exact_maths)?;
            if !checked.entries.iter().any(|entry| entry.accepted) {
                check::print(&checked, term);
                return Err(CliError::Refused(format!("no entry of {} is accepted", file.display())));
            }
            let signer = signer(&key)?;
            let client = connect(&node).await?;
            say_replaced(&file.display().to_string(), &checked.prepared.replaced);
            let ptx = checked.prepared.ptx;
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

/// Says on standard error what was replaced in a kernel.
pub fn say_replaced(kernel: &str, replaced: &BTreeMap<String, u32>) {
    if !replaced.is_empty() {
        term::note(&format!("{kernel}: exact maths in place of {}", assay_exact::in_words(replaced)));
    }
}

/// Writes PTX with exact instructions.
fn exact(file: &Path, output: Option<PathBuf>) -> Outcome {
    let ptx = check::read(file)?;
    let exact = assay_exact::rewrite(&ptx)
        .map_err(|error| CliError::Refused(format!("{}: {error}", file.display())))?
        .unwrap_or_else(|| Exact { ptx, replaced: BTreeMap::new() });
    match exact.replaced.is_empty() {
        true => term::note(&format!("{}: no approximate instruction", file.display())),
        false => say_replaced(&file.display().to_string(), &exact.replaced),
    }
    match output {
        Some(path) => std::fs::write(&path, exact.ptx).map_err(CliError::file(&path)),
        None => std::io::stdout().lock().write_all(&exact.ptx).map_err(CliError::file("standard output")),
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
