// SPDX-License-Identifier: Apache-2.0
import Filter
import Testing
import XDP

@Suite("what other filters print")
struct ImportTests {
    private static func imported(_ text: String, _ format: RuleImport.Format) throws -> String {
        let result = try RuleImport(Array(text.utf8), as: format, file: "x")
        #expect(try RuleFile.parse(Array(result.text.utf8), file: "again") == result.ruleSet)
        return result.text
    }

    @Test("xdp-filter's status becomes rules that mean the same")
    func xdpFilter() throws {
        let status = """
            CURRENT XDP-FILTER STATUS:

            Aggregate per-action statistics:
              XDP_ABORTED                                   0 pkts           0 KiB
              XDP_DROP                                      0 pkts           0 KiB
              XDP_PASS                                      0 pkts           0 KiB

            Loaded on interfaces:
                                                       Enabled features
            xdpfilt_alw_all
              v0 (skb mode)                            tcp,udp,ipv6,ipv4,ethernet,allow

            Filtered ports:
                                                       Mode             Hit counter
              22                                       dst,tcp,udp      0
              80                                       src,dst,tcp      0

            Filtered IP addresses:
                                                       Mode             Hit counter
              2001:db8::1                              src,dst          0
              10.0.0.1                                 src              0

            Filtered MAC addresses:
                                                       Mode             Hit counter
              02:00:00:00:00:01                        dst              0
            """
        #expect(
            try Self.imported(status, .xdpFilter) == """
                set addresses : address { 2001:db8::1 }
                set addresses-src : address { 10.0.0.1 }
                set macs-dst : mac { 02:00:00:00:00:01 }

                rules {
                  drop proto { tcp, udp } dport 22
                  drop tcp port 80
                  drop host in @addresses
                  drop src in @addresses-src
                  drop mac dst in @macs-dst
                  default pass
                }

                """)
        let deny = status.split(separator: ",allow").joined(separator: ",deny").split(separator: "udp,ipv6")
            .joined(separator: "ipv6")
        let rules = try RuleImport(Array(deny.utf8), as: .xdpFilter, file: "x")
        #expect(
            rules.ruleSet.policy == .drop && rules.ruleSet.rules.allSatisfy { $0.action == .decide(.pass) })
        #expect(rules.notes.map(\.line) == [11])
    }

    @Test("nft's sets are carried over, and what is not a set is named")
    func nft() throws {
        let listing = """
            table inet filter {
            	set bad {
            		type ipv4_addr
            		size 65535
            		flags interval,timeout
            		timeout 1h
            		comment "bad ones"
            		elements = { 10.0.0.0/8 timeout 2h expires 1h59m59s988ms, 192.0.2.1-192.0.2.9 expires 59m59s988ms,
            			     198.51.100.7 expires 59m59s988ms comment "x" }
            	}

            	set pairs {
            		type ipv6_addr . inet_proto . inet_service
            		elements = { 2001:db8::1 . tcp . 80 counter packets 5 bytes 9 }
            	}

            	set dyn {
            		typeof ip saddr
            		flags dynamic,timeout
            		elements = { 1.2.3.4 timeout 1h expires 5m2s988ms }
            	}

            	set marks {
            		type mark
            		elements = { 0x00000001 }
            	}

            	map m {
            		type ipv4_addr : verdict
            		elements = { 1.1.1.1 : drop }
            	}

            	chain input {
            		type filter hook input priority filter; policy accept;
            		tcp dport { 1, 2 } accept
            	}
            }
            """
        #expect(
            try Self.imported(listing, .nftSet) == """
                # line 9: the comment of 198.51.100.7 is left out
                # line 23: the set marks is not carried over: no set here holds mark
                # line 28: map m is not carried over, only sets are
                # line 33: chain input is not carried over, only sets are

                set bad : prefix timeout 1h {
                  10.0.0.0/8 timeout 2h,
                  192.0.2.1 timeout 1h,
                  192.0.2.2/31 timeout 1h,
                  192.0.2.4/30 timeout 1h,
                  192.0.2.8/31 timeout 1h,
                  198.51.100.7 timeout 1h,
                }
                set pairs : address . protocol . port { 2001:db8::1 . 6 . 80 }
                set dyn : address timeouts { 1.2.3.4 timeout 5m3s }

                rules {
                  default pass
                }

                """)
    }

    @Test("ipset's sets are carried over, and exceptions and networks in tuples are named")
    func ipset() throws {
        let saved = """
            create a hash:ip family inet hashsize 1024 maxelem 65536 timeout 60 bucketsize 12 initval 0x7c7f2c1b
            add a 1.2.3.4 timeout 29
            create n hash:net family inet hashsize 1024 maxelem 65536 counters comment bucketsize 12 initval 0x012f445c
            add n 11.0.0.0/8 nomatch packets 0 bytes 0
            add n 10.0.0.0/8 packets 0 bytes 0 comment "a b"
            create ip.x hash:ip,port family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x06f92f52
            add ip.x 1.2.3.4,udp:53
            add ip.x 2001:db8::1,tcp:80
            add ip.x 1.2.3.4,icmp:echo-request
            create b bitmap:port range 0-1024
            add b 5
            create np hash:net,port family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0xbca511fa
            add np 10.0.0.0/8,tcp:22
            create mm hash:mac hashsize 1024 maxelem 65536
            add mm 02:00:00:00:00:0A
            """
        #expect(
            try Self.imported(saved, .ipset) == """
                # line 4: 11.0.0.0/8 is an exception (nomatch), which sets here do not have
                # line 5: the comment of 10.0.0.0/8 is left out
                # line 6: the set ip.x is called ip_x here
                # line 9: 1.2.3.4 . icmp . echo-request is not carried over: echo-request is no port
                # line 12: the set np is not carried over: no set here holds what hash:net,port does

                set a : address timeout 1m { 1.2.3.4 timeout 29s }
                set n : prefix { 10.0.0.0/8 }
                set ip_x : address . protocol . port { 1.2.3.4 . 17 . 53, 2001:db8::1 . 6 . 80 }
                set b : port { 5 }
                set mm : mac { 02:00:00:00:00:0a }

                rules {
                  default pass
                }

                """)
    }

    @Test("what is something else is refused", arguments: RuleImport.Format.allCases)
    func refused(format: RuleImport.Format) {
        for text in ["", "nonsense\n", "rules { default pass }", "\u{0}\u{1}"] {
            #expect(throws: XDPError.self) { try RuleImport(Array(text.utf8), as: format, file: "x") }
        }
    }
}
