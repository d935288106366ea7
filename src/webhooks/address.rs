//! To which addresses webhooks may be delivered.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// Whether webhooks may be delivered to that address: it is public, or lies in one of the networks that the operator allows.
pub fn is_allowed(address: IpAddr, allowed: &[IpNet]) -> bool {
    let address = address.to_canonical();
    is_public(address) || is_listed(address, allowed)
}

/// Whether the operator allows that address by name of its network.
pub fn is_listed(address: IpAddr, allowed: &[IpNet]) -> bool {
    let address = address.to_canonical();
    allowed.iter().any(|network| network.contains(&address))
}

/// Whether an address belongs to the public internet: neither this machine, nor its link, nor a private network, nor a group, nor
/// reserved (the registries of special-purpose addresses, RFC 6890), nor one at which a cloud's own services answer.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, d] = address.octets();
    !matches!(
        (a, b, c, d),
        // This network, private use, loopback, link-local.
        (0 | 10 | 127, ..) | (169, 254, ..) | (172, 16..=31, ..) | (192, 168, ..)
            // Carriers' networks (RFC 6598), benchmarks, protocol assignments, documentation, 6to4 relays.
            | (100, 64..=127, ..) | (198, 18..=19, ..) | (192, 0, 0 | 2, _) | (198, 51, 100, _)
            | (203, 0, 113, _) | (192, 88, 99, _)
            // Groups, reserved, broadcast.
            | (224..=255, ..)
            // Azure's own services, at a public address.
            | (168, 63, 129, 16)
    )
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    // Of 2000::/3 alone, which leaves out loopback, link-local, unique-local, groups, mapped and translated addresses.
    (0x2000..=0x3fff).contains(&first)
        // Protocol assignments and tunnels that carry an IPv4 address (Teredo, 6to4), and documentation.
        && !(first == 0x2001 && (second < 0x0200 || second == 0x0db8))
        && first != 0x2002
        && !(first == 0x3fff && second < 0x1000)
}
