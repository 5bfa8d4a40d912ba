//! The market for provable GPU jobs: kernels on chain, orders, attempts, audits, convictions and settlement.
//!
//! ```text
//! register_kernel   place_order   claim   commit_result   report_audits   (on_idle | settle)
//!        │               │          │           │               │                │
//!     Kernels ───▶ Orders: Open ─▶ Claimed ─▶ Committed ─▶ Reports ─────────▶ Settled
//!                        ▲          │           │ report_fault, prove_fault: the runtime runs the unit
//!                        └──────────┴───────────┘ and the provider is slashed, or the order voided
//! ```
//! Money is not touched here: customers' is in [`Config::Escrow`], operators' in [`Config::Stake`]; only the deposit for a
//! kernel's bytes is this pallet's own hold.
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

extern crate alloc;

pub use auditors::{AuditorId, crypto};
pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

mod agenda;
mod auditors;
mod authorize;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod functions;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
mod types;
mod views;
pub mod weights;

use alloc::{boxed::Box, vec::Vec};
use assay_primitives::{
    Account, AttemptIndex, Balance, BlockNumber, Hash, KernelId, OrderId, Program, ProgramId, Unit,
    order::{Failure, OrderStatus, Receipt, ReportVerdict, Terms},
    program::MAX_PROGRAM_BYTES,
    trace::TracePath,
    witness::Witness,
};
use sp_core::sr25519;

#[frame_support::pallet]
#[allow(missing_docs)]
pub mod pallet {
    use super::*;
    use codec::Encode;
    use frame_support::{dispatch::DispatchClass, pallet_prelude::*, traits::fungible, weights::WeightMeter};
    use frame_system::{ensure_authorized, pallet_prelude::*};
    use pallet_assay_traits::{Escrow, Stake};

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config: frame_system::Config<AccountId: Into<Account> + From<Account>> {
        /// The reasons for holds, of the whole runtime.
        type RuntimeHoldReason: From<HoldReason>;

        /// The money of the deposits for kernels.
        type Currency: fungible::hold::Mutate<Self::AccountId, Reason = Self::RuntimeHoldReason>
            + fungible::Mutate<Self::AccountId>
            + fungible::Inspect<Self::AccountId, Balance = Balance>;

        /// Customers' money.
        type Escrow: Escrow<Self::AccountId>;

        /// Operators' money and standing.
        type Stake: Stake<Self::AccountId>;

        /// Lane-steps one unit may take.
        #[pallet::constant]
        type UnitFuel: Get<u64>;

        /// Planck a kernel's owner deposits per byte of PTX.
        #[pallet::constant]
        type DepositPerByte: Get<Balance>;

        /// Blocks a provider may not claim after a no-show.
        #[pallet::constant]
        type NoShowSuspension: Get<BlockNumber>;

        /// Blocks a provider may not claim after a proved fault.
        #[pallet::constant]
        type FaultSuspension: Get<BlockNumber>;

        /// Blocks that a program stays on chain after the last order that names it ended.
        #[pallet::constant]
        type Retention: Get<BlockNumber>;

        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// Why this pallet holds money.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// For the bytes of a kernel.
        #[codec(index = 0)]
        Kernel,
    }

    /// Blocks of the audit window after a commit.
    #[pallet::storage]
    pub type AuditWindow<T: Config> = StorageValue<_, BlockNumber, ValueQuery>;

    /// Blocks a provider waits for inputs before it may decline.
    #[pallet::storage]
    pub type DeclineAfter<T: Config> = StorageValue<_, BlockNumber, ValueQuery>;

    /// The validators of this session: audit key and operator.
    #[pallet::storage]
    pub type Auditors<T: Config> =
        StorageValue<_, BoundedVec<(sr25519::Public, T::AccountId), ConstU32<MAX_VALIDATORS>>, ValueQuery>;

    /// The kernels, without their bytes.
    #[pallet::storage]
    pub type Kernels<T: Config> = StorageMap<_, Blake2_128Concat, KernelId, Kernel<T::AccountId>>;

    /// The kernels' PTX.
    #[pallet::storage]
    pub type KernelCode<T: Config> =
        StorageMap<_, Blake2_128Concat, KernelId, BoundedVec<u8, ConstU32<MAX_KERNEL_BYTES>>>;

    /// How often programs of orders that have not ended name each kernel.
    #[pallet::storage]
    pub type KernelUses<T: Config> = StorageMap<_, Blake2_128Concat, KernelId, u32, ValueQuery>;

    /// The programs' SCALE encodings.
    #[pallet::storage]
    pub type Programs<T: Config> =
        StorageMap<_, Blake2_128Concat, ProgramId, BoundedVec<u8, ConstU32<MAX_PROGRAM_BYTES>>>;

    /// Orders that keep each program on chain.
    #[pallet::storage]
    pub type ProgramRefs<T: Config> = StorageMap<_, Blake2_128Concat, ProgramId, u32, ValueQuery>;

    /// Number of the next order.
    #[pallet::storage]
    pub type NextOrder<T: Config> = StorageValue<_, OrderId, ValueQuery>;

    /// The orders; those that ended stay as receipts.
    #[pallet::storage]
    pub type Orders<T: Config> = StorageMap<_, Twox64Concat, OrderId, Order<T::AccountId>>;

    /// The attempts at each order.
    #[pallet::storage]
    pub type Attempts<T: Config> =
        StorageDoubleMap<_, Twox64Concat, OrderId, Twox64Concat, AttemptIndex, Attempt<T::AccountId>>;

    /// The audits of each attempt.
    #[pallet::storage]
    pub type Reports<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        OrderId,
        Twox64Concat,
        AttemptIndex,
        BoundedVec<Reported<T::AccountId>, ConstU32<MAX_REPORTS>>,
        ValueQuery,
    >;

    /// Auditors whose fault report of an attempt showed nothing new, and who may make no other without a fee.
    #[pallet::storage]
    pub type SpentReports<T: Config> =
        StorageDoubleMap<_, Twox64Concat, (OrderId, AttemptIndex), Blake2_128Concat, T::AccountId, ()>;

    /// Orders that wait for a claim, oldest first.
    #[pallet::storage]
    pub type OpenOrders<T: Config> = StorageMap<_, Identity, Sorted, ()>;

    /// Orders with a committed result, oldest first.
    #[pallet::storage]
    pub type CommittedOrders<T: Config> = StorageMap<_, Identity, Sorted, ()>;

    /// Orders that a provider has claimed and not finished.
    #[pallet::storage]
    pub type Assigned<T: Config> = StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Identity, Sorted, ()>;

    /// How many orders each customer has placed.
    #[pallet::storage]
    pub type OrderCounts<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, u32, ValueQuery>;

    /// Each customer's orders, by position among its own.
    #[pallet::storage]
    pub type CustomerOrders<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Twox64Concat, u32, OrderId>;

    /// What to look at in each block: orders whose phase may be over.
    #[pallet::storage]
    pub type Agenda<T: Config> =
        StorageMap<_, Twox64Concat, BlockNumber, BoundedVec<OrderId, ConstU32<MAX_AGENDA>>, ValueQuery>;

    /// First block whose agenda is not done.
    #[pallet::storage]
    pub type AgendaNext<T: Config> = StorageValue<_, BlockNumber, ValueQuery>;

    #[pallet::genesis_config]
    pub struct GenesisConfig<T: Config> {
        /// Blocks of the audit window after a commit.
        pub audit_window: BlockNumber,
        /// Blocks a provider waits for inputs before it may decline.
        pub decline_after: BlockNumber,
        #[serde(skip)]
        pub _config: PhantomData<T>,
    }

    impl<T: Config> Default for GenesisConfig<T> {
        fn default() -> Self {
            Self { audit_window: 150, decline_after: 150, _config: PhantomData }
        }
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            assert!(self.audit_window > 0 && self.audit_window <= MAX_AUDIT_WINDOW, "audit_window is out of bounds");
            assert!(self.decline_after < MAX_PHASE, "decline_after is out of bounds");
            AuditWindow::<T>::put(self.audit_window);
            DeclineAfter::<T>::put(self.decline_after);
        }
    }

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A kernel's PTX is on chain.
        KernelRegistered { kernel: KernelId, owner: T::AccountId, deposit: Balance },
        /// A kernel was taken off the chain.
        KernelRetired { kernel: KernelId, owner: T::AccountId, deposit: Balance },
        /// An order waits for a claim; `held` planck are in escrow.
        OrderPlaced { order: OrderId, customer: T::AccountId, program: ProgramId, held: Balance },
        /// A provider claimed an order at `price` and locked `bond`.
        Claimed {
            order: OrderId,
            attempt: AttemptIndex,
            provider: T::AccountId,
            price: Balance,
            bond: Balance,
            commit_by: BlockNumber,
        },
        /// A provider committed a result.
        Committed {
            order: OrderId,
            attempt: AttemptIndex,
            provider: T::AccountId,
            trace_root: Hash,
            window_ends: BlockNumber,
        },
        /// A validator audited a result.
        Audited {
            order: OrderId,
            attempt: AttemptIndex,
            auditor: T::AccountId,
            verdict: ReportVerdict,
            units: u16,
            lane_steps: u64,
        },
        /// The runtime ran a unit and convicted the provider.
        FaultProved {
            order: OrderId,
            attempt: AttemptIndex,
            unit: Unit,
            provider: T::AccountId,
            finder: T::AccountId,
            fault: ProvedFault,
            to_customer: Balance,
            to_finder: Balance,
            burned: Balance,
        },
        /// The runtime ran a unit and found the program at fault.
        ProgramFaultProved {
            order: OrderId,
            attempt: AttemptIndex,
            unit: Unit,
            finder: T::AccountId,
            rule: Rule,
            line: u32,
            thread: [u32; 3],
        },
        /// A fault report showed nothing; part of the auditor's stake was burned.
        FalseReport { order: OrderId, attempt: AttemptIndex, auditor: T::AccountId, burned: Balance },
        /// An attempt ended without settling.
        AttemptFailed { order: OrderId, attempt: AttemptIndex, provider: T::AccountId, failure: Failure },
        /// An order waits for another claim.
        Reopened { order: OrderId },
        /// An order ended; the receipt says who got what.
        Closed { order: OrderId, status: OrderStatus, receipt: Receipt },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// The kernel is registered already.
        KernelExists,
        /// No such kernel.
        KernelNotFound,
        /// Orders that have not ended name the kernel.
        KernelInUse,
        /// The kernel was checked with another version of the engine: register it again.
        EngineChanged,
        /// The text is not PTX that the engine reads.
        NotPtx,
        /// No entry of the kernel is accepted.
        NoEntryAccepted,
        /// The kernel has too many entries.
        TooManyEntries,
        /// The signer does not own it.
        NotOwner,
        /// The program launches nothing.
        NoLaunch,
        /// The program is too large.
        ProgramTooLarge,
        /// A buffer has a wrong length.
        BadBuffer,
        /// No buffer is an output.
        NoOutput,
        /// A launch names a kernel that the program does not list.
        UnlistedKernel,
        /// A launch names no accepted entry of its kernel.
        UnknownEntry,
        /// A launch has wrong arguments.
        BadArgument,
        /// A grid is empty or too large.
        BadGrid,
        /// A block is empty or too large.
        BadBlock,
        /// A launch asks for too much shared memory.
        BadShared,
        /// A write map is wrong.
        BadWriteMap,
        /// The price is too low, or falls, or rises for too long.
        BadPrice,
        /// The order would be open for no or too many blocks.
        BadOpenBlocks,
        /// Attempts would have too few or too many blocks: more than a provider waits before it may decline.
        BadAttemptBlocks,
        /// No or too many auditors or draws.
        BadAudit,
        /// Fewer validators than auditors asked for.
        TooFewAuditors,
        /// No such order.
        OrderNotFound,
        /// No such attempt, or not the present one.
        WrongAttempt,
        /// The order does not stand where this call needs it.
        WrongStatus,
        /// The time for this call is over.
        TooLate,
        /// The time for this call has not come.
        TooEarly,
        /// The account is no provider, or not this attempt's.
        NotProvider,
        /// The provider is suspended.
        Suspended,
        /// The provider has tried this order before.
        Excluded,
        /// The provider's capacity is less than the bond.
        NoCapacity,
        /// The signature does not verify.
        BadSignature,
        /// The trace does not start from the program's declared inputs.
        BadStart,
        /// The key is no validator's audit key in this session.
        NotAuditor,
        /// Auditors do not audit their own results.
        OwnResult,
        /// The auditor has reported this attempt already.
        AlreadyReported,
        /// The VRF proof does not verify.
        BadVrf,
        /// The auditor was not drawn.
        NotAssigned,
        /// The report counts other units than were drawn, or impossible lane-steps.
        BadCount,
        /// The attempt has all the reports it can take, or the call has none that counts.
        NothingToReport,
        /// The auditor's free stake is less than what a false report costs.
        NoStake,
        /// The witness is too large.
        WitnessTooLarge,
        /// No such unit.
        NoUnit,
        /// The witness's states are not the committed ones.
        BadPath,
        /// A slice of the witness does not match its blob.
        BadSlice,
        /// The witness lacks a byte that the unit touches.
        IncompleteWitness,
        /// The unit reproduces: there is no fault.
        Reproduced,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_idle(_: BlockNumberFor<T>, remaining: Weight) -> Weight {
            let mut meter = WeightMeter::with_limit(remaining);
            Self::run_agenda(&mut meter);
            meter.consumed()
        }

        fn integrity_test() {
            assert!(T::UnitFuel::get() > 0);
            let longest = MAX_PHASE.saturating_add(MAX_AUDIT_WINDOW);
            assert!(
                T::Stake::unbonding_period() > longest,
                "stake must stay longer than any window in which it can be slashed: {longest} blocks"
            );
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call(weight(<T as Config>::WeightInfo))]
    impl<T: Config> Pallet<T> {
        /// Puts a kernel's PTX on chain, where orders can name it.
        ///
        /// ## Dispatch Origin
        /// Signed by anyone, who becomes its owner.
        /// ## Details
        /// The runtime parses and checks the text with the engine that audits and convicts. The deposit is held until the
        /// kernel is retired. The kernel's name is the BLAKE3 hash of its bytes.
        /// ## Parameters
        /// - `ptx`: the text.
        /// ## Errors
        /// - `KernelExists`, `NotPtx`, `NoEntryAccepted`, `TooManyEntries`.
        /// ## Events
        /// - `KernelRegistered`.
        #[pallet::call_index(0)]
        #[pallet::weight(<T as Config>::WeightInfo::register_kernel(ptx.len() as u32))]
        pub fn register_kernel(
            origin: OriginFor<T>,
            ptx: BoundedVec<u8, ConstU32<MAX_KERNEL_BYTES>>,
        ) -> DispatchResult {
            let owner = ensure_signed(origin)?;
            Self::do_register_kernel(owner, ptx)
        }

        /// Takes a kernel off the chain and returns its deposit.
        ///
        /// ## Dispatch Origin
        /// Signed by its owner.
        /// ## Parameters
        /// - `kernel`: BLAKE3 of its PTX.
        /// ## Errors
        /// - `KernelNotFound`, `NotOwner`, `KernelInUse`.
        /// ## Events
        /// - `KernelRetired`.
        #[pallet::call_index(1)]
        pub fn retire_kernel(origin: OriginFor<T>, kernel: KernelId) -> DispatchResult {
            let owner = ensure_signed(origin)?;
            Self::do_retire_kernel(&owner, kernel)
        }

        /// Orders a run of a program.
        ///
        /// ## Dispatch Origin
        /// Signed by the customer.
        /// ## Details
        /// The highest price and the auditors' fee are held until the order ends. Nobody is paid without a result that was
        /// audited; what is not paid is released.
        /// ## Parameters
        /// - `program`: what to run; its kernels must be on chain.
        /// - `terms`: the price, the deadlines and the audits.
        /// ## Errors
        /// - `KernelNotFound`, `EngineChanged`; `NoLaunch` to `BadWriteMap` for the program; `BadPrice` to
        ///   `TooFewAuditors` for the terms; the currency's errors when the customer cannot spare the money.
        /// ## Events
        /// - `OrderPlaced`.
        #[pallet::call_index(2)]
        #[pallet::weight(<T as Config>::WeightInfo::place_order(
            program.encoded_size() as u32,
            program.kernels.len() as u32,
        ))]
        pub fn place_order(origin: OriginFor<T>, program: Box<Program>, terms: Terms) -> DispatchResult {
            let customer = ensure_signed(origin)?;
            Self::do_place_order(customer, &program, terms)
        }

        /// Takes an order back that nobody has claimed.
        ///
        /// ## Dispatch Origin
        /// Signed by the customer.
        /// ## Parameters
        /// - `order`: its number.
        /// ## Errors
        /// - `OrderNotFound`, `NotOwner`, `WrongStatus`.
        /// ## Events
        /// - `Closed`.
        #[pallet::call_index(3)]
        pub fn cancel(origin: OriginFor<T>, order: OrderId) -> DispatchResult {
            let customer = ensure_signed(origin)?;
            Self::do_cancel(&customer, order)
        }

        /// Claims an open order at the price of this block. Without a fee.
        ///
        /// ## Dispatch Origin
        /// Authorized by the signature of the provider's worker key over `payload::claim`. A claim that is not valid is
        /// dropped before it reaches a block.
        /// ## Details
        /// Locks the bond out of the provider's stake.
        /// ## Parameters
        /// - `order`, `attempt`: what is claimed; the attempt is the order's next.
        /// - `provider`: the operator.
        /// - `signature`: by its worker key.
        /// ## Errors
        /// - `OrderNotFound`, `WrongStatus`, `WrongAttempt`, `TooLate`, `NotProvider`, `Suspended`, `Excluded`,
        ///   `TooFewAuditors`, `NoCapacity`, `BadSignature`.
        /// ## Events
        /// - `Claimed`.
        #[pallet::call_index(4)]
        #[pallet::authorize(Self::authorize_claim)]
        pub fn claim(
            origin: OriginFor<T>,
            order: OrderId,
            attempt: AttemptIndex,
            provider: T::AccountId,
            signature: sr25519::Signature,
        ) -> DispatchResult {
            ensure_authorized(origin)?;
            let _ = signature;
            Self::do_claim(order, attempt, provider)
        }

        /// Gives a claimed order back because its inputs did not arrive. No fault, no fee.
        ///
        /// ## Dispatch Origin
        /// Authorized by the signature of the provider's worker key over `payload::decline`.
        /// ## Details
        /// Possible once the provider has waited for the blocks that the chain prescribes. The provider may not claim the
        /// order again; the third decline voids the order with a full refund.
        /// ## Parameters
        /// - `order`, `attempt`: what is declined.
        /// - `provider`: the operator.
        /// - `signature`: by its worker key.
        /// ## Errors
        /// - `OrderNotFound`, `WrongStatus`, `WrongAttempt`, `NotProvider`, `TooEarly`, `TooLate`, `BadSignature`.
        /// ## Events
        /// - `AttemptFailed`, `Reopened` or `Closed`.
        #[pallet::call_index(5)]
        #[pallet::authorize(Self::authorize_decline)]
        pub fn decline(
            origin: OriginFor<T>,
            order: OrderId,
            attempt: AttemptIndex,
            provider: T::AccountId,
            signature: sr25519::Signature,
        ) -> DispatchResult {
            ensure_authorized(origin)?;
            let _ = signature;
            Self::do_decline(order, attempt, provider)
        }

        /// Commits a claimed order's result. Without a fee.
        ///
        /// ## Dispatch Origin
        /// Authorized by the signature of the provider's worker key over `payload::commit`.
        /// ## Details
        /// Opens the audit window. The path shows that the trace starts from the program's declared inputs and has as many
        /// states as the program.
        /// ## Parameters
        /// - `order`, `attempt`: what is committed.
        /// - `provider`: the operator.
        /// - `trace_root`: the result.
        /// - `start`: path of state 0 in the trace.
        /// - `signature`: by its worker key.
        /// ## Errors
        /// - `OrderNotFound`, `WrongStatus`, `WrongAttempt`, `NotProvider`, `TooLate`, `BadStart`, `BadSignature`.
        /// ## Events
        /// - `Committed`.
        #[pallet::call_index(6)]
        #[pallet::authorize(Self::authorize_commit_result)]
        pub fn commit_result(
            origin: OriginFor<T>,
            order: OrderId,
            attempt: AttemptIndex,
            provider: T::AccountId,
            trace_root: Hash,
            start: TracePath,
            signature: sr25519::Signature,
        ) -> DispatchResult {
            ensure_authorized(origin)?;
            let _ = signature;
            Self::do_commit_result(order, attempt, provider, trace_root, &start)
        }

        /// Reports audits of committed results. Without a fee.
        ///
        /// ## Dispatch Origin
        /// Authorized by the VRF proofs of the reports, each of which signs its report, under a validator's audit key.
        /// ## Details
        /// Reports that came too late or twice are passed over; the call is valid while one of its reports counts and
        /// none of those that count is false.
        /// ## Parameters
        /// - `auditor`: the validator's audit key.
        /// - `reports`: what it found.
        /// ## Errors
        /// - `NotAuditor`, `OwnResult`, `BadVrf`, `NotAssigned`, `BadCount`, `NothingToReport`.
        /// ## Events
        /// - `Audited`, once per report that counts.
        #[pallet::call_index(7)]
        #[pallet::weight((
            <T as Config>::WeightInfo::report_audits(reports.len() as u32),
            DispatchClass::Operational,
        ))]
        #[pallet::authorize(Self::authorize_report_audits)]
        #[pallet::weight_of_authorize(<T as Config>::WeightInfo::authorize_report_audits(reports.len() as u32))]
        pub fn report_audits(origin: OriginFor<T>, auditor: sr25519::Public, reports: Batch) -> DispatchResult {
            ensure_authorized(origin)?;
            Self::do_report_audits(&auditor, &reports)
        }

        /// Proves a fault by having the runtime run the unit; for validators, without a fee.
        ///
        /// ## Dispatch Origin
        /// Authorized by the signature of a validator's audit key over `payload::fault_report`, once per attempt.
        /// ## Details
        /// A provider at fault is slashed, and the order reopens; a program at fault voids the order. A report that shows
        /// neither burns a hundredth of the validator's stake.
        /// ## Parameters
        /// - `auditor`: the validator's audit key.
        /// - `order`, `attempt`, `unit`: what is at fault.
        /// - `witness`: the bytes that the unit reads and owns, with their proofs.
        /// - `signature`: by the audit key.
        /// ## Errors
        /// - `NotAuditor`, `OrderNotFound`, `WrongStatus`, `WrongAttempt`, `TooLate`, `AlreadyReported`, `NoStake`,
        ///   `WitnessTooLarge`, `BadSignature`.
        /// ## Events
        /// - `FaultProved`, `AttemptFailed` and `Reopened`; or `ProgramFaultProved` and `Closed`; or `FalseReport`.
        #[pallet::call_index(8)]
        #[pallet::weight((
            <T as Config>::WeightInfo::report_fault(
                witness.encoded_size() as u32,
                MAX_KERNEL_BYTES,
                T::UnitFuel::get(),
            ),
            DispatchClass::Operational,
        ))]
        #[pallet::authorize(Self::authorize_report_fault)]
        #[pallet::weight_of_authorize(
            <T as Config>::WeightInfo::authorize_report_fault(witness.encoded_size() as u32)
        )]
        pub fn report_fault(
            origin: OriginFor<T>,
            auditor: sr25519::Public,
            order: OrderId,
            attempt: AttemptIndex,
            unit: Unit,
            witness: Box<Witness>,
            signature: sr25519::Signature,
        ) -> DispatchResultWithPostInfo {
            ensure_authorized(origin)?;
            let _ = signature;
            Self::do_report_fault(&auditor, order, attempt, unit, &witness)
        }

        /// Proves a fault by having the runtime run the unit; for anyone.
        ///
        /// ## Dispatch Origin
        /// Signed by anyone, who becomes the finder.
        /// ## Details
        /// The fee is for a whole unit's lane-steps. It is returned when the witness shows a fault, of the provider or of
        /// the program; otherwise what the runtime did is charged.
        /// ## Parameters
        /// - `order`, `attempt`, `unit`: what is at fault.
        /// - `witness`: the bytes that the unit reads and owns, with their proofs.
        /// ## Errors
        /// - `OrderNotFound`, `WrongStatus`, `WrongAttempt`, `TooLate`, `WitnessTooLarge`, `NoUnit`, `BadPath`,
        ///   `BadSlice`, `IncompleteWitness`, `Reproduced`.
        /// ## Events
        /// - `FaultProved`, `AttemptFailed` and `Reopened`; or `ProgramFaultProved` and `Closed`.
        #[pallet::call_index(9)]
        #[pallet::weight((
            <T as Config>::WeightInfo::prove_fault(
                witness.encoded_size() as u32,
                MAX_KERNEL_BYTES,
                T::UnitFuel::get(),
            ),
            DispatchClass::Operational,
        ))]
        pub fn prove_fault(
            origin: OriginFor<T>,
            order: OrderId,
            attempt: AttemptIndex,
            unit: Unit,
            witness: Box<Witness>,
        ) -> DispatchResultWithPostInfo {
            let finder = ensure_signed(origin)?;
            Self::do_prove_fault(finder, order, attempt, unit, &witness)
        }

        /// Does what time has made due: pays a result whose audit window is over, or ends what was missed.
        ///
        /// ## Dispatch Origin
        /// Signed by anyone.
        /// ## Details
        /// The chain does it by itself in idle blocks; this call is for when there are none.
        /// ## Parameters
        /// - `order`: its number.
        /// ## Errors
        /// - `OrderNotFound`, `TooEarly`.
        /// ## Events
        /// - `Closed`, or `AttemptFailed` and `Reopened`.
        #[pallet::call_index(10)]
        pub fn settle(origin: OriginFor<T>, order: OrderId) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_settle(order)
        }
    }
}
