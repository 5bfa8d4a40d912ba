//! Who may upload: the customer of an order that this provider works on, for a blob that the order's program names.

use super::{Refusal, Server};
use assay_client::{account, keys};
use assay_primitives::{BlobId, BlockNumber, OrderId, payload};
use axum::http::{HeaderMap, StatusCode};

/// Blocks for which a permit may be given ahead: about a day.
const MAX_AHEAD: BlockNumber = 43_200;

/// Checks the signature in `headers` for uploading `blob` for `order`.
pub fn check(server: &Server, headers: &HeaderMap, order: OrderId, blob: &BlobId) -> Result<(), Refusal> {
    let desk = &server.inner.desk;
    let unauthorised = |message: &str| Refusal::new(StatusCode::UNAUTHORIZED, message);
    let forbidden = |message: String| Refusal::new(StatusCode::FORBIDDEN, message);
    let header = |name: &str| {
        let value = headers.get(name).ok_or_else(|| unauthorised(&format!("the header {name} is missing")))?;
        value.to_str().map_err(|_| Refusal::malformed(format!("the header {name} is no text")))
    };
    let customer = account::parse(header("x-assay-account")?).map_err(|error| Refusal::malformed(error.to_string()))?;
    let expiry: BlockNumber =
        header("x-assay-expiry")?.parse().map_err(|_| Refusal::malformed("the expiry is no block number"))?;
    let mut signature = [0; 64];
    let text = header("x-assay-signature")?;
    hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut signature)
        .map_err(|_| Refusal::malformed("the signature is no 64 bytes of hex"))?;

    let genesis = desk
        .genesis()
        .ok_or_else(|| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "the worker is not connected to its chain yet"))?;
    let height = desk.height();
    if expiry < height {
        return Err(unauthorised(&format!("the permit expired at block {expiry}; this is block {height}")));
    }
    if expiry > height.saturating_add(MAX_AHEAD) {
        return Err(unauthorised(&format!("the permit may last {MAX_AHEAD} blocks at most")));
    }
    if !keys::verify(&customer, &payload::upload(&genesis, order, &customer, blob, expiry), &signature) {
        return Err(unauthorised("the signature is not the account's over this upload"));
    }
    let admission =
        desk.admission(order).ok_or_else(|| forbidden(format!("this provider does not work on order {order}")))?;
    if admission.customer != customer {
        return Err(forbidden(format!("order {order} is another customer's")));
    }
    if !admission.blobs.contains(blob) {
        return Err(forbidden(format!("the program of order {order} does not name this blob with this length")));
    }
    Ok(())
}
