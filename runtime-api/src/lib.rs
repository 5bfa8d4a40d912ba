//! The runtime APIs of Assay: what the node's RPC and its auditor ask the runtime. The node knows the runtime through
//! these alone.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod vrf;

use alloc::{string::String, vec::Vec};
use assay_primitives::{
    Account, AttemptIndex, Hash, KernelId, OrderId, Program, ProgramId, Unit,
    audit::Report,
    order::{AuditLevel, AuditTask, KernelView, OrderView, Parameters, PriceCurve, ProviderView, Quote},
    witness::Witness,
};
use codec::{Decode, Encode};
use scale_info::TypeInfo;

/// What a witness shows, as the runtime tells it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Judged {
    /// The unit reproduces.
    Verified {
        /// Lane-steps it took.
        lane_steps: u64,
        /// Its audit digest, if keyed.
        digest: Hash,
    },
    /// The provider committed something else than the unit computes.
    ProviderFault,
    /// The unit breaks a rule of the engine.
    ProgramFault {
        /// The rule's name.
        rule: String,
        /// Line of the PTX, from 1.
        line: u32,
        /// `threadIdx` of the first thread that broke it.
        thread: [u32; 3],
    },
    /// The witness, the unit or the kernels show nothing.
    Nothing,
}

sp_api::decl_runtime_apis! {
    /// What anyone may know of the market.
    pub trait AssayApi {
        /// The chain's constants.
        fn parameters() -> Parameters;
        /// One order.
        fn order(order: OrderId) -> Option<OrderView>;
        /// The orders of a customer, newest first, at most `limit` from `before` down.
        fn orders_of(customer: Account, before: Option<OrderId>, limit: u32) -> Vec<OrderView>;
        /// Orders that wait for a claim, oldest first, at most `limit`.
        fn open_orders(limit: u32) -> Vec<OrderView>;
        /// Orders that `provider` has claimed and not finished.
        fn assigned_orders(provider: Account) -> Vec<OrderView>;
        /// A program that an order has named.
        fn program(program: ProgramId) -> Option<Program>;
        /// A registered kernel.
        fn kernel(kernel: KernelId) -> Option<KernelView>;
        /// A registered kernel's PTX.
        fn kernel_code(kernel: KernelId) -> Option<Vec<u8>>;
        /// One provider.
        fn provider(operator: Account) -> Option<ProviderView>;
        /// Every provider, at most `limit`.
        fn providers(limit: u32) -> Vec<ProviderView>;
        /// What an order would cost.
        fn quote(units: u64, price: PriceCurve, audit: AuditLevel) -> Quote;
    }

    /// What the auditor of a validator asks and submits.
    pub trait AuditApi {
        /// The commitments that the validator with this audit key may be drawn for, and has not reported.
        fn tasks(auditor: sp_core::sr25519::Public) -> Vec<AuditTask>;
        /// The extrinsic that reports audits.
        fn report_extrinsic(auditor: sp_core::sr25519::Public, reports: Vec<Report>) -> Option<Block::Extrinsic>;
        /// The extrinsic that proves a fault on chain, signed by the audit key over
        /// [`assay_primitives::payload::fault_report`].
        fn fault_extrinsic(
            auditor: sp_core::sr25519::Public,
            order: OrderId,
            attempt: AttemptIndex,
            unit: Unit,
            witness: Witness,
            signature: sp_core::sr25519::Signature,
        ) -> Option<Block::Extrinsic>;
        /// Lane-steps one unit may take.
        fn unit_fuel() -> u64;
        /// What the runtime's own engine says of a unit: the judgement of a fault proof, with nothing at stake. Needs no
        /// state; `kernels` are the PTX of the program's kernels, `key` keys the audit digest.
        fn judge(
            program: Program,
            kernels: Vec<Vec<u8>>,
            trace_root: Hash,
            unit: Unit,
            witness: Witness,
            key: Option<Hash>,
        ) -> Judged;
    }
}
