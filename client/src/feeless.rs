//! Calls without a fee: general transactions (extrinsic version 5) without a signer. What authenticates them is a signature
//! inside the call, which the runtime checks under `#[pallet::authorize]`.
//!
//! ```text
//! compact length ‖ 0b01_000101 ‖ extension version ‖ explicit bytes of each extension, in order ‖ call
//! ```

use crate::{Error, Result};
use codec::{Compact, Encode};
use scale_info::{PortableRegistry, TypeDef};
use subxt::metadata::Metadata;

/// Preamble of a general transaction: type 0b01, format version 5.
const PREAMBLE: u8 = 0b0100_0101;

/// The transaction that carries `call`, which is a SCALE encoding: immortal, nonce 0, tip 0, no metadata hash.
pub(crate) fn general(call: &[u8], metadata: &Metadata) -> Result<Vec<u8>> {
    let incompatible = |reason: String| Error::incompatible("the chain's transactions", reason);
    let extrinsic = metadata.extrinsic();
    let version = extrinsic.transaction_extension_version_to_use_for_encoding();
    let extensions = extrinsic
        .transaction_extensions_by_version(version)
        .ok_or_else(|| incompatible(format!("extensions of version {version} are not described")))?;
    let mut body = vec![PREAMBLE, version];
    for extension in extensions {
        match extension.identifier() {
            // An immortal era, nonce 0, tip 0, metadata hash off.
            "CheckMortality" | "CheckEra" | "CheckNonce" | "ChargeTransactionPayment" | "CheckMetadataHash" => body.push(0),
            _ if is_empty(extension.extra_ty(), metadata.types()) => {}
            other => return Err(incompatible(format!("the extension {other} is not known"))),
        }
    }
    body.extend_from_slice(call);
    let length = u32::try_from(body.len()).map_err(|_| incompatible("the call is too long".into()))?;
    let mut bytes = Compact(length).encode();
    bytes.append(&mut body);
    Ok(bytes)
}

/// Whether values of a type take no bytes.
fn is_empty(ty: u32, types: &PortableRegistry) -> bool {
    match types.resolve(ty).map(|ty| &ty.type_def) {
        Some(TypeDef::Composite(composite)) => composite.fields.iter().all(|field| is_empty(field.ty.id, types)),
        Some(TypeDef::Tuple(tuple)) => tuple.fields.iter().all(|field| is_empty(field.id, types)),
        Some(TypeDef::Array(array)) => array.len == 0 || is_empty(array.type_param.id, types),
        _ => false,
    }
}
