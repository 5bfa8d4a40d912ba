//! Accounts as people write them: SS58 with the generic prefix 42, or 64 hex digits.

use assay_primitives::Account;
use subxt::utils::AccountId32;

/// Why a text names no account.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// Neither SS58 nor 32 bytes of hex.
    #[error("`{text}` is no account: {reason}")]
    Malformed {
        /// What was given.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// SS58 with the prefix of another network.
    #[error("`{text}` is an account of another network; here it is written {here}")]
    OtherNetwork {
        /// What was given.
        text: String,
        /// The same key with this chain's prefix.
        here: String,
    },
}

/// The SS58 address of an account.
pub fn to_ss58(account: &Account) -> String {
    AccountId32(*account).to_string()
}

/// Reads an SS58 address, or 32 bytes of hex with or without `0x`.
pub fn parse(text: &str) -> Result<Account, AccountError> {
    let text = text.trim();
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let mut account = [0; 32];
    if hex::decode_to_slice(digits, &mut account).is_ok() {
        return Ok(account);
    }
    let AccountId32(account) = text.parse().map_err(|error| AccountError::Malformed {
        text: text.to_owned(),
        reason: format!("{error}").to_lowercase(),
    })?;
    let here = to_ss58(&account);
    if here == text { Ok(account) } else { Err(AccountError::OtherNetwork { text: text.to_owned(), here }) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

    #[test]
    fn an_address_reads_back_to_the_account_that_wrote_it() {
        let alice = parse(ALICE).unwrap();
        assert_eq!(to_ss58(&alice), ALICE);
        assert_eq!(parse(&format!("0x{}", hex::encode(alice))).unwrap(), alice);
        assert_eq!(parse(&hex::encode(alice)).unwrap(), alice);
    }

    #[test]
    fn a_mistyped_address_is_refused() {
        let mistyped = ALICE.replace("GKutQY", "GKutQX");
        assert!(matches!(parse(&mistyped), Err(AccountError::Malformed { .. })));
        assert!(matches!(parse(""), Err(AccountError::Malformed { .. })));
        assert!(matches!(parse("0x12"), Err(AccountError::Malformed { .. })));
    }

    #[test]
    fn an_address_of_another_network_is_refused_and_shown_as_it_is_written_here() {
        let polkadot = "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5";
        let error = parse(polkadot).unwrap_err();
        assert!(matches!(&error, AccountError::OtherNetwork { here, .. } if here == ALICE), "{error}");
    }
}
