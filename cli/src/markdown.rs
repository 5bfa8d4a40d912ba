//! The reference of the command line, made from the command line itself.

use std::fmt::Write;

use clap::{Arg, ArgAction, Command, CommandFactory};

use crate::args::Cli;

/// The page docs/cli.md.
pub fn reference() -> String {
    let mut out = String::from(
        "# The command line\n\nMade by `assay help-markdown`. Every reading command answers in JSON with `--json`. Exit codes: 0 done, 1 failed or not \
         accepted, 2 wrong usage. Colours only on a terminal, and not with `NO_COLOR`.\n",
    );
    let root = Cli::command();
    for group in root.get_subcommands().filter(|command| !command.is_hide_set()) {
        describe(group, "assay", &mut out);
    }
    out
}

fn describe(command: &Command, parent: &str, out: &mut String) {
    let name = format!("{parent} {}", command.get_name());
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    if command.has_subcommands() {
        let _ = write!(out, "\n## {name}\n\n{about}.\n");
        for inner in command.get_subcommands() {
            describe(inner, &name, out);
        }
        return;
    }
    let level = if parent == "assay" { "##" } else { "###" };
    let mut usage = name.clone();
    for arg in command.get_positionals() {
        let more = if matches!(arg.get_action(), ArgAction::Append) { "…" } else { "" };
        let value = format!("{}{more}", value_name(arg));
        let _ = if arg.is_required_set() { write!(usage, " {value}") } else { write!(usage, " [{value}]") };
    }
    let _ = write!(out, "\n{level} {name}\n\n{about}.\n\n`{usage}`\n");
    let options: Vec<&Arg> = command.get_arguments().filter(|arg| !arg.is_hide_set()).collect();
    if options.is_empty() {
        return;
    }
    out.push_str("\n| option | meaning |\n|---|---|\n");
    for arg in options {
        let _ = writeln!(out, "| `{}` | {} |", shape(arg), meaning(arg));
    }
}

fn value_name(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    let text: Vec<String> = names.iter().map(ToString::to_string).collect();
    if text.is_empty() { arg.get_id().to_string().to_uppercase() } else { text.join(" ") }
}

fn shape(arg: &Arg) -> String {
    let takes_value = arg.get_action().takes_values();
    match (arg.get_short(), arg.get_long()) {
        (_, None) => value_name(arg),
        (short, Some(long)) => {
            let short = short.map(|short| format!("-{short}, ")).unwrap_or_default();
            let value = if takes_value { format!(" {}", value_name(arg)) } else { String::new() };
            format!("{short}--{long}{value}")
        }
    }
}

fn meaning(arg: &Arg) -> String {
    let mut text = arg.get_help().map(ToString::to_string).unwrap_or_default().replace('|', "\\|");
    if let Some(variable) = arg.get_env() {
        let _ = write!(text, "; environment `{}`", variable.to_string_lossy());
    }
    let defaults: Vec<String> =
        arg.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
    if !defaults.is_empty() && arg.get_action().takes_values() {
        let _ = write!(text, "; default `{}`", defaults.join(" "));
    }
    if arg.is_required_set() && arg.get_long().is_some() {
        text.push_str("; required");
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    #[test]
    fn the_committed_reference_is_current() {
        let path = std::path::Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../docs/cli.md");
        let committed = std::fs::read_to_string(path).unwrap();
        assert!(
            committed == super::reference(),
            "docs/cli.md is not current: cargo run -p assay-cli -- help-markdown > docs/cli.md"
        );
    }
}
