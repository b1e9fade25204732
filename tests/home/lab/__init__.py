"""A whole home in network namespaces: an ISP, a router, hosts.

The peers are programs that porchlight did not write: Knot, unbound, pebble, dnsmasq, udhcpc,
dhclient, kdig, dnspython, tcpdump, tshark. Read in this order: `home` (what stands where),
`isp`, `router`, `host`, `capture`, `decode`; `namespace` and `program` carry them.
"""

from .home import Home, sweep

__all__ = ["Home", "sweep"]
