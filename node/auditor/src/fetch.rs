//! Fetching witnesses from providers. An endpoint is a string that a stranger put on chain: it is asked for one path,
//! over HTTP alone, without redirects, proxies or credentials, for so many bytes and seconds, and, unless the operator
//! says otherwise, at public addresses alone.

use assay_primitives::{
    AttemptIndex, OrderId, Unit,
    witness::{MAX_WITNESS_BYTES, Witness},
};
use codec::DecodeAll;
use reqwest::{
    Client, StatusCode, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect,
};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
    time::Duration,
};

/// How long a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(1_500);

/// Why there is no witness.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The endpoint is no URL that the auditor would ask.
    #[error("the endpoint is no plain http or https URL")]
    Endpoint,
    /// The endpoint names an address inside somebody's network.
    #[error("the endpoint is not at a public address")]
    PrivateAddress,
    /// Connection, timeout, or a broken answer.
    #[error("{0}")]
    Http(#[from] reqwest::Error),
    /// The endpoint answered something else than a witness.
    #[error("the endpoint answered {0}")]
    Status(StatusCode),
    /// The answer is longer than a witness may be.
    #[error("the answer is longer than {MAX_WITNESS_BYTES} bytes")]
    TooLong,
    /// The bytes are no witness.
    #[error("the answer is no witness: {0}")]
    Encoding(#[from] codec::Error),
}

/// Asks providers.
#[derive(Clone)]
pub struct Fetcher {
    client: Client,
    private: bool,
}

impl Fetcher {
    /// Asks endpoints at private addresses too when `private`.
    pub fn new(private: bool) -> Result<Self, FetchError> {
        let mut client = Client::builder()
            .user_agent(concat!("assay-node/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_max_idle_per_host(4);
        if !private {
            client = client.dns_resolver(Arc::new(PublicResolver));
        }
        Ok(Self { client: client.build()?, private })
    }

    /// The witness of `unit`, asked of `endpoint` within `timeout`.
    pub async fn witness(
        &self,
        endpoint: &str,
        order: OrderId,
        attempt: AttemptIndex,
        unit: Unit,
        timeout: Duration,
    ) -> Result<Witness, FetchError> {
        let url = witness_url(endpoint, order, attempt, unit)?;
        if !self.private {
            let host = url.host_str().unwrap_or_default();
            let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
            if literal.is_ok_and(|address| !is_public(address)) {
                return Err(FetchError::PrivateAddress);
            }
        }
        let mut response = self.client.get(url).timeout(timeout).send().await?;
        if response.status() != StatusCode::OK {
            return Err(FetchError::Status(response.status()));
        }
        if response.content_length().is_some_and(|len| len > MAX_WITNESS_BYTES.into()) {
            return Err(FetchError::TooLong);
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if bytes.len().saturating_add(chunk.len()) > MAX_WITNESS_BYTES as usize {
                return Err(FetchError::TooLong);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Witness::decode_all(&mut bytes.as_slice())?)
    }
}

fn witness_url(endpoint: &str, order: OrderId, attempt: AttemptIndex, unit: Unit) -> Result<Url, FetchError> {
    let mut url = Url::parse(endpoint).map_err(|_| FetchError::Endpoint)?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none();
    if !plain {
        return Err(FetchError::Endpoint);
    }
    url.path_segments_mut().map_err(|()| FetchError::Endpoint)?.pop_if_empty().extend([
        "v1",
        "orders",
        &order.to_string(),
        &attempt.to_string(),
        "witness",
    ]);
    let [x, y, z] = unit.cta;
    url.set_query(Some(&format!("launch={}&x={x}&y={y}&z={z}", unit.launch)));
    url.set_fragment(None);
    Ok(url)
}

/// Resolves names to public addresses alone, so that a name cannot lead into the validator's own network.
struct PublicResolver;

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<_> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(FetchError::PrivateAddress.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => address.to_ipv4_mapped().map_or_else(|| is_public_v6(address), is_public_v4),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    !(shared
        || a == 0
        || a >= 240
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    // Global unicast is 2000::/3; of it, 64:ff9b::/96 and the like are outside anyway.
    address.segments().first().is_some_and(|first| first & 0xe000 == 0x2000)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const UNIT: Unit = Unit { launch: 3, cta: [1, 2, 0] };

    fn url(endpoint: &str) -> Option<String> {
        witness_url(endpoint, 7, 1, UNIT).ok().map(Into::into)
    }

    #[test]
    fn the_path_is_appended_to_the_endpoint_and_nothing_else_of_it_survives() {
        let expected = "http://host:8700/v1/orders/7/1/witness?launch=3&x=1&y=2&z=0";
        assert_eq!(url("http://host:8700").as_deref(), Some(expected));
        assert_eq!(url("http://host:8700/").as_deref(), Some(expected));
        assert_eq!(url("http://host:8700/?token=1#part").as_deref(), Some(expected));
        let deeper = "https://host/a/b/v1/orders/7/1/witness?launch=3&x=1&y=2&z=0";
        assert_eq!(url("https://host/a/b").as_deref(), Some(deeper));
    }

    #[test]
    fn other_schemes_credentials_and_nonsense_are_refused() {
        for endpoint in
            ["", "host:8700", "ftp://host", "file:///etc/passwd", "http://user:secret@host", "data:,x", "http://"]
        {
            assert_eq!(url(endpoint), None, "{endpoint}");
        }
    }

    #[test]
    fn addresses_inside_a_network_are_not_public() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "::ffff:127.0.0.1",
            "ff02::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in ["9.9.9.9", "100.128.0.1", "2620:fe::fe"] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[tokio::test]
    async fn a_public_fetcher_does_not_even_connect_to_a_private_address() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let fetcher = Fetcher::new(false).unwrap();
        for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
            let endpoint = format!("http://{host}:{port}");
            assert!(fetcher.witness(&endpoint, 0, 0, UNIT, Duration::from_secs(2)).await.is_err());
        }
        let connected = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
        assert!(connected.is_err(), "somebody connected");
    }
}
