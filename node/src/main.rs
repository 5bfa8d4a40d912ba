//! The node of Assay: makes and follows the chain, answers clients, and audits what providers commit.

mod audited;
mod cli;
mod command;
mod spec;

fn main() -> sc_cli::Result<()> {
    command::run()
}
