//! Addresses that nobody outside of the platform may choose: loopback, link-local, private and other special ranges.
//!
//! In: an IP address, or a URL whose host is one. Out: whether it is public (RFC 6890). Resolves nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// A host of somebody's choosing leads inside of the platform.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} has a private address")]
pub struct PrivateAddress(pub String);

/// Refuses a URL whose host is written as an address that is not public: a resolver is never asked about those.
///
/// # Errors
/// [`PrivateAddress`] with the host.
pub fn refuse_private_literal(url: &Url) -> Result<(), PrivateAddress> {
    let literal = match url.host() {
        Some(Host::Ipv4(v4)) => IpAddr::V4(v4),
        Some(Host::Ipv6(v6)) => IpAddr::V6(v6),
        Some(Host::Domain(_)) | None => return Ok(()),
    };
    if is_public(literal) { Ok(()) } else { Err(PrivateAddress(literal.to_string())) }
}

/// Whether an address is outside of loopback, link-local, private and other special ranges.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => embedded(v6).map_or_else(|| is_public_v6(v6), is_public_v4),
    }
}

fn is_public_v4(v4: Ipv4Addr) -> bool {
    let is_special = match v4.octets() {
        // The last is Azure's own inside of every virtual network (Azure Virtual Network, "What is IP address 168.63.129.16?").
        [0 | 240..=255, ..] | [192, 0, 0, _] | [168, 63, 129, 16] => true,
        [100, second, ..] => (64..128).contains(&second),
        [198, second, ..] => second == 18 || second == 19,
        _ => false,
    };
    !(is_special
        || v4.is_private()
        || v4.is_loopback()
        || v4.is_link_local()
        || v4.is_multicast()
        || v4.is_documentation())
}

/// Global unicast is `2000::/3`; Teredo and 6to4 in it lead to other networks.
fn is_public_v6(v6: Ipv6Addr) -> bool {
    let [first, second, ..] = v6.segments();
    let is_global = (0x2000..0x4000).contains(&first);
    let leads_elsewhere = first == 0x2002 || (first == 0x2001 && second < 0x200);
    is_global && !leads_elsewhere
}

/// The IPv4 address inside of a mapped one, or of one that a NAT64 translates (`64:ff9b::/96`).
fn embedded(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)))
        }
        _ => v6.to_ipv4_mapped(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_inside_of_the_platform_are_not_public() {
        let inside = [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "168.63.129.16",
            "100.64.0.1",
            "198.18.0.1",
            "192.0.0.8",
            "240.0.0.1",
            "255.255.255.255",
            "0.0.0.0",
            "::",
            "::1",
            "::127.0.0.1",
            "fd00::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "2001::1",
        ];
        for address in inside {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "2001:4860::8888"] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn every_way_to_write_loopback_is_seen() {
        for host in ["127.0.0.1", "127.1", "0x7f.0.0.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]"] {
            let url = Url::parse(&format!("https://{host}/v2/")).unwrap();
            assert!(refuse_private_literal(&url).is_err(), "{host}");
        }
        assert_eq!(refuse_private_literal(&Url::parse("https://ghcr.io/").unwrap()), Ok(()));
    }
}
