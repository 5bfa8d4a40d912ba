//! Keys that sign.

use assay_primitives::Account;
use std::{fmt, str::FromStr, sync::Arc};
use subxt_signer::{
    SecretUri,
    sr25519::{self, Keypair},
};

/// Why a text is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key cannot be read: {reason}; expected //Name, a mnemonic phrase or 32 bytes of hex")]
pub struct KeyError {
    reason: String,
}

/// An sr25519 key pair. It prints as its address alone.
#[derive(Clone)]
pub struct Signer {
    pair: Arc<Keypair>,
    account: Account,
}

impl fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Signer({})", self.address())
    }
}

impl Signer {
    /// Reads a secret URI: `//Alice`, `phrase//path///password`, or a seed of 64 hex digits with or without `0x`.
    pub fn parse(secret: &str) -> Result<Self, KeyError> {
        let secret = secret.trim();
        if secret.is_empty() {
            return Err(KeyError { reason: "it is empty".into() });
        }
        let is_seed = secret.len() == 64 && secret.bytes().all(|byte| byte.is_ascii_hexdigit());
        let uri = if is_seed { format!("0x{secret}") } else { secret.to_owned() };
        let uri = SecretUri::from_str(&uri).map_err(|_| KeyError { reason: "it has another form".into() })?;
        // The library's message may quote the secret.
        let pair = Keypair::from_uri(&uri).map_err(|error| KeyError {
            reason: match error {
                sr25519::Error::InvalidSeed => "the seed is invalid".into(),
                sr25519::Error::Phrase(_) => "the words are no mnemonic phrase".into(),
                _ => "it is no sr25519 secret".into(),
            },
        })?;
        let account = pair.public_key().0;
        Ok(Self { pair: Arc::new(pair), account })
    }

    /// The account of the key.
    pub fn account(&self) -> Account {
        self.account
    }

    /// The SS58 address of the key.
    pub fn address(&self) -> String {
        crate::account::to_ss58(&self.account)
    }

    /// An sr25519 signature in Substrate's context.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.pair.sign(message).0
    }

    pub(crate) fn pair(&self) -> &Keypair {
        &self.pair
    }
}

/// Whether `account` made `signature` over `message`.
pub fn verify(account: &Account, message: &[u8], signature: &[u8; 64]) -> bool {
    sr25519::verify(&sr25519::Signature(*signature), message, &sr25519::PublicKey(*account))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    #[test]
    fn development_keys_have_their_well_known_addresses() {
        assert_eq!(Signer::parse("//Alice").unwrap().address(), "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY");
        assert_eq!(Signer::parse("//Bob").unwrap().address(), "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty");
    }

    #[test]
    fn a_seed_reads_with_and_without_prefix_and_a_phrase_with_a_path() {
        let seed = "e5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a";
        assert_eq!(Signer::parse(seed).unwrap().account(), Signer::parse(&format!("0x{seed}")).unwrap().account());
        let phrase = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";
        assert_eq!(
            Signer::parse(&format!("{phrase}//Alice")).unwrap().account(),
            Signer::parse("//Alice").unwrap().account()
        );
    }

    #[test]
    fn what_is_no_key_is_refused_without_quoting_it() {
        for secret in ["", "not a key", "0x12", "bottom drive obey", "/"] {
            let Err(error) = Signer::parse(secret) else { panic!("{secret} is a key") };
            assert!(secret.len() < 3 || !error.to_string().contains(secret), "{error}");
        }
    }

    #[test]
    fn a_signature_is_good_for_its_message_and_account_alone() {
        let (alice, bob) = (Signer::parse("//Alice").unwrap(), Signer::parse("//Bob").unwrap());
        let signature = alice.sign(b"message");
        assert!(verify(&alice.account(), b"message", &signature));
        assert!(!verify(&alice.account(), b"massage", &signature));
        assert!(!verify(&bob.account(), b"message", &signature));
        assert!(!verify(&alice.account(), b"message", &[0; 64]));
    }
}
