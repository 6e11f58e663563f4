//! Requests that leave the house, and the guard that looks where they go.
//!
//! The guard looks at every address that a name resolves to, at the moment of connecting, and refuses
//! those that are not public, unless they are on the allow list: an address that somebody writes into a plan
//! or a profile must not be a way to talk to the machines behind the firewall. Redirects are not followed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;
use jiff::SignedDuration;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// The longest reason that is shown, in characters.
const MAX_SHOWN: usize = 200;

/// Makes requests to addresses that are allowed. Cheap to clone.
#[derive(Clone)]
pub struct Outbound {
    client: reqwest::Client,
    guard: Arc<Guard>,
}

impl Outbound {
    /// Connects to public addresses and to those in `allowed`; a request has until `deadline`.
    ///
    /// # Errors
    ///
    /// When the TLS library can't be set up.
    pub fn new(allowed: Vec<IpNet>, deadline: SignedDuration) -> anyhow::Result<Self> {
        let guard = Arc::new(Guard { allowed });
        let client = reqwest::Client::builder()
            .dns_resolver(guard.clone())
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(std::time::Duration::from_secs(5))
            .timeout(deadline.unsigned_abs())
            .pool_idle_timeout(std::time::Duration::from_secs(30))
            .user_agent(concat!("Dogwatch/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, guard })
    }

    /// Connects to anything: for addresses that only the configuration can hold, such as a gateway in the house.
    ///
    /// # Errors
    ///
    /// When the TLS library can't be set up.
    pub fn unguarded(deadline: SignedDuration) -> anyhow::Result<Self> {
        let everywhere = ["0.0.0.0/0", "::/0"].iter().filter_map(|network| network.parse().ok()).collect();
        Self::new(everywhere, deadline)
    }

    /// The client, whose connections are guarded; an address goes through [`Self::check`] first.
    pub fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// Reads an address, and refuses a literal one that is not allowed: the resolver is not asked for those.
    ///
    /// # Errors
    ///
    /// Why it is refused.
    pub fn check(&self, url: &str) -> Result<reqwest::Url, String> {
        let url = reqwest::Url::parse(url).map_err(|error| format!("the address can't be read: {error}"))?;
        let literal = match url.host() {
            Some(url::Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(url::Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(url::Host::Domain(_)) => None,
            None => return Err("the address names no host".to_owned()),
        };
        match literal.filter(|address| !self.guard.allows(*address)) {
            Some(address) => Err(not_public(address)),
            None => Ok(url),
        }
    }
}

/// Which addresses may be connected to.
#[derive(Debug, Default)]
struct Guard {
    allowed: Vec<IpNet>,
}

/// The cause that says most: the last of the chain, cut to a line.
pub fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string().chars().filter(|letter| !letter.is_control()).take(MAX_SHOWN).collect()
}

#[derive(Debug)]
struct Blocked(String);

impl std::fmt::Display for Blocked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Blocked {}

/// Why the guard refused to connect, if it did.
pub fn find_blocked(error: &reqwest::Error) -> Option<String> {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(current) = cause {
        if let Some(blocked) = current.downcast_ref::<Blocked>() {
            return Some(blocked.0.clone());
        }
        cause = current.source();
    }
    None
}

fn not_public(address: IpAddr) -> String {
    format!(
        "{address} is not a public address; to allow it, add its network to webhook.allow in the configuration"
    )
}

impl Guard {
    fn allows(&self, address: IpAddr) -> bool {
        // An IPv4 address in IPv6 clothes is judged as what it is.
        let address = address.to_canonical();
        self.allowed.iter().any(|network| network.contains(&address)) || is_public(address)
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let allowed = self.allowed.clone();
        Box::pin(async move {
            let guard = Guard { allowed };
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            // All of them: one public address must not carry a private one in with it.
            if let Some(address) = found.iter().find(|address| !guard.allows(address.ip())) {
                let why = format!("{host} is {}", not_public(address.ip()));
                return Err(Box::new(Blocked(why)) as Box<dyn std::error::Error + Send + Sync>);
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is reachable by everybody on the Internet, after the IANA special-purpose
/// registries. IPv6 is public in 2000::/3 only, less what is reserved there or stands for IPv4.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(a == 0
        || a == 10
        || a == 127
        || a >= 224
        || (a == 100 && (64..128).contains(&b))
        || (a == 169 && b == 254)
        || (a == 172 && (16..32).contains(&b))
        || (a == 192 && b == 0 && (c == 0 || c == 2))
        || (a == 192 && b == 88 && c == 99)
        || (a == 192 && b == 168)
        || (a == 198 && (b == 18 || b == 19))
        || (a == 198 && b == 51 && c == 100)
        || (a == 203 && b == 0 && c == 113))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    // 2001::/23 holds Teredo and other protocols, 2001:db8::/32 is for documentation, 2002::/16 is 6to4,
    // 3fff::/20 is for documentation.
    (0x2000..0x4000).contains(&a)
        && !(a == 0x2001 && (b < 0x0200 || b == 0x0db8))
        && a != 0x2002
        && !(a == 0x3fff && b < 0x1000)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_allowed_unless_listed() {
        let guard = Guard { allowed: vec!["10.1.0.0/16".parse().unwrap()] };
        for address in
            ["1.1.1.1", "8.8.8.8", "2606:4700::1111", "10.1.2.3", "::ffff:1.1.1.1", "::ffff:10.1.2.3"]
        {
            assert!(guard.allows(address.parse().unwrap()), "{address}");
        }
        for address in [
            "0.0.0.0",
            "10.2.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "5f00::1",
        ] {
            assert!(!guard.allows(address.parse().unwrap()), "{address}");
        }
    }
}
