//! Where chain specifications come from.

use std::path::PathBuf;

/// A chain specification without extensions.
pub type ChainSpec = sc_service::GenericChainSpec;

/// Loads the specification named on the command line: `dev` and `local` are the files that `assay-chain-spec` writes
/// beside the node, anything else is a path.
pub fn load(id: &str) -> Result<Box<dyn sc_service::ChainSpec>, String> {
    let path = match id {
        "" => return Err("which chain? Give --dev, --chain local or --chain FILE".into()),
        "dev" => beside_the_node("development.json")?,
        "local" => beside_the_node("local_testnet.json")?,
        path => PathBuf::from(path),
    };
    if !path.is_file() {
        return Err(match id {
            "dev" | "local" => format!(
                "there is no {}: run assay-chain-spec, which writes the specifications beside itself and the node, or give --chain FILE",
                path.display()
            ),
            _ => format!("there is no chain specification at {}", path.display()),
        });
    }
    Ok(Box::new(ChainSpec::from_json_file(path)?))
}

fn beside_the_node(file: &str) -> Result<PathBuf, String> {
    let node = std::env::current_exe().map_err(|error| format!("cannot tell where the node itself is: {error}"))?;
    let folder = node.parent().ok_or("the node's own path has no folder")?;
    Ok(folder.join("chain-spec").join(file))
}
