//! What a chain carried: each call of its blocks, the bytes it took and the weight it was charged.
//!
//! `cargo run --release -p assay-client --example extrinsics -- ws://127.0.0.1:9944 [FIRST [LAST]]`

use std::time::Duration;
use subxt::{
    OnlineClient, SubstrateConfig,
    ext::scale_value::At,
    rpcs::{RpcClient, rpc_params},
};

type Error = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let mut args = std::env::args().skip(1);
    let url = args.next().ok_or("usage: extrinsics NODE [FIRST [LAST]]")?;
    let mut number = |default| args.next().map_or(Ok(default), |text| text.parse::<u64>());
    let (first, last) = (number(1)?, number(u64::MAX)?);
    let api = OnlineClient::<SubstrateConfig>::from_insecure_url(&url).await?;
    let rpc = RpcClient::from_insecure_url(&url).await?;
    let header: serde_json::Value = rpc.request("chain_getHeader", rpc_params![]).await?;
    let best = header["number"].as_str().and_then(|hex| u64::from_str_radix(hex.trim_start_matches("0x"), 16).ok());
    let best = best.ok_or("the node names no block")?;
    // Finalised blocks are told; the best follows soon.
    while api.at_current_block().await?.block_number() < best {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    println!("{:>6}  {:<34} {:>8} {:>14} {:>12}", "block", "call", "bytes", "ref_time ms", "proof bytes");
    let mut total = 0usize;
    for block in first..=last.min(best) {
        let at = api.at_block(block).await?;
        for extrinsic in at.extrinsics().fetch().await?.iter() {
            let extrinsic = extrinsic?;
            if extrinsic.pallet_name() == "Timestamp" {
                continue;
            }
            let (mut time, mut proof) = (0, 0);
            for event in extrinsic.events().await?.iter() {
                let event = event?;
                if event.pallet_name() == "System" && event.event_name().starts_with("Extrinsic") {
                    let fields = event.decode_fields_unchecked_as::<subxt::ext::scale_value::Composite<()>>()?;
                    let info = fields.at("dispatch_info");
                    let part = |name: &str| info.at("weight").at(name).and_then(|value| value.as_u128()).unwrap_or(0);
                    (time, proof) = (part("ref_time"), part("proof_size"));
                }
            }
            let name = format!("{}.{}", extrinsic.pallet_name(), extrinsic.call_name());
            let bytes = extrinsic.bytes().len();
            total += bytes;
            println!("{block:>6}  {name:<34} {bytes:>8} {:>14.3} {proof:>12}", time as f64 / 1e9);
        }
    }
    println!("{total:>51} bytes in all");
    Ok(())
}
