// SPDX-License-Identifier: Apache-2.0

/// Well-known ports by name; they are always written as numbers.
///
/// A table of our own, because what a rule means must not depend on the machine's /etc/services.
enum ServiceNames {
    static let table = NameTable([
        ("echo", 7), ("discard", 9), ("daytime", 13), ("qotd", 17), ("chargen", 19), ("ftp-data", 20),
        ("ftp", 21), ("ssh", 22), ("telnet", 23), ("smtp", 25), ("time", 37), ("tacacs", 49), ("domain", 53),
        ("dns", 53), ("bootps", 67), ("bootpc", 68), ("tftp", 69), ("http", 80), ("kerberos", 88),
        ("pop3", 110),
        ("sunrpc", 111), ("ntp", 123), ("epmap", 135), ("netbios-ns", 137), ("netbios-dgm", 138),
        ("netbios-ssn", 139), ("imap", 143), ("snmp", 161), ("snmp-trap", 162), ("bgp", 179), ("ldap", 389),
        ("https", 443), ("microsoft-ds", 445), ("smtps", 465), ("isakmp", 500), ("syslog", 514), ("rip", 520),
        ("dhcpv6-client", 546), ("dhcpv6-server", 547), ("submission", 587), ("ldaps", 636),
        ("domain-s", 853),
        ("rsync", 873), ("imaps", 993), ("pop3s", 995), ("openvpn", 1194), ("ms-sql", 1433), ("l2tp", 1701),
        ("radius", 1812), ("radius-acct", 1813), ("ssdp", 1900), ("nfs", 2049), ("mysql", 3306),
        ("rdp", 3389),
        ("ipsec-nat-t", 4500), ("vxlan", 4789), ("sip", 5060), ("sips", 5061), ("mdns", 5353),
        ("postgresql", 5432),
        ("vnc", 5900), ("geneve", 6081), ("redis", 6379), ("http-alt", 8080), ("memcached", 11211),
        ("wireguard", 51820),
    ])
}
