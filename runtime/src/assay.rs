//! The compute market: escrow, stake, orders.

use crate::AccountId;

mod app {
    use sp_application_crypto::sr25519;
    sp_application_crypto::app_crypto!(sr25519, assay_runtime_api::vrf::AUDIT_KEY);
}
/// interim
pub struct AuditKey;
impl sp_runtime::BoundToRuntimeAppPublic for AuditKey {
    type Public = app::Public;
}
impl frame_support::traits::OneSessionHandler<AccountId> for AuditKey {
    type Key = app::Public;
    fn on_genesis_session<'a, I: 'a>(_: I) where I: Iterator<Item = (&'a AccountId, app::Public)>, AccountId: 'a {}
    fn on_new_session<'a, I: 'a>(_: bool, _: I, _: I) where I: Iterator<Item = (&'a AccountId, app::Public)>, AccountId: 'a {}
    fn on_disabled(_: u32) {}
}
