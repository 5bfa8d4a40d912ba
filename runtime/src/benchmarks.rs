//! The benchmarks of the pallets.

frame_benchmarking::define_benchmarks!(
    [frame_benchmarking, BaselineBench::<Runtime>]
    [frame_system, SystemBench::<Runtime>]
    [frame_system_extensions, SystemExtensionsBench::<Runtime>]
    [pallet_assay_compute, Compute]
    [pallet_assay_staking, Staking]
    [pallet_balances, Balances]
    [pallet_multisig, Multisig]
    [pallet_proxy, Proxy]
    [pallet_sudo, Sudo]
    [pallet_timestamp, Timestamp]
    [pallet_transaction_payment, TransactionPayment]
    [pallet_utility, Utility]
);
