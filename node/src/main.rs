//! The node of Assay.

fn main() -> sc_cli::Result<()> {
    assay_node::command::run()
}
