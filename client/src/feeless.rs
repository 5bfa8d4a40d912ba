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
            "CheckMortality" | "CheckEra" | "CheckNonce" | "ChargeTransactionPayment" | "CheckMetadataHash" => {
                body.push(0)
            }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, dead_code, missing_docs, non_camel_case_types)]

    use super::*;
    use crate::{calls, error::Error};
    use scale_info::{TypeInfo, meta_type};
    use subxt::ext::frame_metadata::v16;

    /// Calls in the form that a runtime's metadata has them.
    #[derive(TypeInfo)]
    enum StakingCall {
        #[codec(index = 0)]
        stake {
            #[codec(compact)]
            amount: u128,
        },
        #[codec(index = 3)]
        set_provider { endpoint: Vec<u8>, worker: [u8; 32] },
    }

    #[derive(TypeInfo)]
    enum ComputeCall {
        #[codec(index = 3)]
        cancel { order: u64 },
        #[codec(index = 4)]
        claim { order: u64, attempt: u32, provider: [u8; 32], signature: [u8; 64] },
        /// Not what this crate sends.
        #[codec(index = 10)]
        settle { order: u32, eager: bool },
    }

    #[derive(TypeInfo)]
    struct Empty;

    fn metadata(extensions: &[(&'static str, scale_info::MetaType)]) -> Metadata {
        let pallet = |name, index, calls| v16::PalletMetadata {
            name,
            storage: None,
            calls: Some(v16::PalletCallMetadata {
                ty: calls,
                deprecation_info: v16::EnumDeprecationInfo::nothing_deprecated(),
            }),
            event: None,
            constants: Vec::new(),
            error: None,
            associated_types: Vec::new(),
            view_functions: Vec::new(),
            index,
            docs: Vec::new(),
            deprecation_info: v16::ItemDeprecationInfo::NotDeprecated,
        };
        let order: Vec<Compact<u32>> = (0..extensions.len() as u32).map(Compact).collect();
        let described = |(identifier, ty): &(&'static str, scale_info::MetaType)| v16::TransactionExtensionMetadata {
            identifier: *identifier,
            ty: *ty,
            implicit: meta_type::<()>(),
        };
        v16::RuntimeMetadataV16::new(
            vec![pallet("Staking", 21, meta_type::<StakingCall>()), pallet("Compute", 22, meta_type::<ComputeCall>())],
            v16::ExtrinsicMetadata {
                versions: vec![4, 5],
                address_ty: meta_type::<u8>(),
                call_ty: meta_type::<ComputeCall>(),
                signature_ty: meta_type::<u8>(),
                transaction_extensions_by_version: [(0u8, order)].into_iter().collect(),
                transaction_extensions: extensions.iter().map(described).collect(),
            },
            Vec::new(),
            v16::OuterEnums {
                call_enum_ty: meta_type::<ComputeCall>(),
                event_enum_ty: meta_type::<()>(),
                error_enum_ty: meta_type::<()>(),
            },
            v16::CustomMetadata { map: Default::default() },
        )
        .try_into()
        .unwrap()
    }

    fn runtime() -> Metadata {
        metadata(&[
            ("AuthorizeCall", meta_type::<Empty>()),
            ("CheckNonZeroSender", meta_type::<Empty>()),
            ("CheckMortality", meta_type::<u8>()),
            ("CheckNonce", meta_type::<Compact<u32>>()),
            ("ChargeTransactionPayment", meta_type::<Compact<u128>>()),
            ("CheckMetadataHash", meta_type::<u8>()),
            ("WeightReclaim", meta_type::<Empty>()),
        ])
    }

    #[test]
    fn a_feeless_claim_is_a_general_transaction_of_these_bytes() {
        let call = calls::compute::claim(7, 1, &[2; 32], &[3; 64]).encode(&runtime()).unwrap();
        let body = [
            &[0b0100_0101, 0][..],
            &[0, 0, 0, 0],
            &[22, 4],
            &7u64.to_le_bytes(),
            &1u32.to_le_bytes(),
            &[2; 32],
            &[3; 64],
        ]
        .concat();
        let expected = [Compact(body.len() as u32).encode(), body].concat();
        assert_eq!(general(&call, &runtime()).unwrap(), expected);
    }

    #[test]
    fn an_extension_that_nobody_knows_is_refused_rather_than_guessed() {
        let strange = metadata(&[("CheckNonce", meta_type::<Compact<u32>>()), ("Levy", meta_type::<u64>())]);
        assert!(matches!(general(&[22, 3], &strange), Err(Error::Incompatible { .. })));
    }

    #[test]
    fn numbers_take_the_form_that_the_chain_wants() {
        let stake = calls::staking::stake(1 << 40).encode(&runtime()).unwrap();
        assert_eq!(stake, [&[21, 0][..], &Compact(1u128 << 40).encode()].concat());
        let cancel = calls::compute::cancel(5).encode(&runtime()).unwrap();
        assert_eq!(cancel, [&[22, 3][..], &5u64.to_le_bytes()].concat());
    }

    #[test]
    fn calls_that_the_chain_describes_otherwise_are_not_sent() {
        assert!(matches!(calls::compute::settle(1).encode(&runtime()), Err(Error::Incompatible { .. })));
        assert!(matches!(calls::staking::chill().encode(&runtime()), Err(Error::UnknownCall { .. })));
        assert!(matches!(calls::transfer(&[1; 32], 1).encode(&runtime()), Err(Error::UnknownCall { .. })));
        let provider = calls::staking::set_provider("http://host", &[4; 32]).encode(&runtime()).unwrap();
        assert_eq!(provider.get(..3), Some(&[21, 3, 11 << 2][..]));
    }
}
