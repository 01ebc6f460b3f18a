//! Which addresses of the internet are public.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use ipnet::{Ipv4Net, Ipv6Net};

/// Networks of IPv4 that are not public, after the registry of special-purpose addresses of IANA.
const PRIVATE_V4: [&str; 16] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "255.255.255.255/32",
];
/// The public addresses of IPv6.
const PUBLIC_V6: &str = "2000::/3";
/// Networks among [`PUBLIC_V6`] that are not public.
const PRIVATE_V6: [&str; 5] = ["2001::/23", "2001:db8::/32", "3fff::/20", "2002::/16", "3ffe::/16"];
/// The network in which the last four bytes are an address of IPv4 that a gateway forwards to.
const TRANSLATED_V6: &str = "64:ff9b::/96";

static V4: LazyLock<Vec<Ipv4Net>> = LazyLock::new(|| PRIVATE_V4.iter().filter_map(|net| net.parse().ok()).collect());
static V6: LazyLock<Vec<Ipv6Net>> = LazyLock::new(|| PRIVATE_V6.iter().filter_map(|net| net.parse().ok()).collect());

/// Whether an address belongs to the public internet. Addresses of IPv6 that stand for one of IPv4 count as that one.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped().or_else(|| translated(address)) {
            Some(address) => is_public_v4(address),
            None => is_in(PUBLIC_V6, address) && !V6.iter().any(|net| net.contains(&address)),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !V4.iter().any(|net| net.contains(&address))
}

fn is_in(net: &str, address: Ipv6Addr) -> bool {
    net.parse::<Ipv6Net>().is_ok_and(|net| net.contains(&address))
}

fn translated(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [.., a, b, c, d] = address.octets();
    is_in(TRANSLATED_V6, address).then(|| Ipv4Addr::new(a, b, c, d))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("93.184.215.14", true)]
    #[case("2606:2800:21f:cb07::1", true)]
    #[case("::ffff:93.184.215.14", true)]
    #[case("64:ff9b::5db8:d70e", true)]
    #[case("127.0.0.1", false)]
    #[case("10.1.2.3", false)]
    #[case("169.254.169.254", false)]
    #[case("192.168.0.1", false)]
    #[case("100.64.0.1", false)]
    #[case("0.0.0.0", false)]
    #[case("224.0.0.1", false)]
    #[case("::1", false)]
    #[case("::", false)]
    #[case("fd00::1", false)]
    #[case("fe80::1", false)]
    #[case("::ffff:127.0.0.1", false)]
    #[case("64:ff9b::7f00:1", false)]
    #[case("2002:7f00:1::", false)]
    fn private_addresses_are_recognized(#[case] address: &str, #[case] expected: bool) {
        assert_eq!(is_public(address.parse().unwrap()), expected);
    }

    #[test]
    fn all_networks_are_valid() {
        assert_eq!((V4.len(), V6.len()), (PRIVATE_V4.len(), PRIVATE_V6.len()));
    }
}
