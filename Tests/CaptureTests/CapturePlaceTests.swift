// SPDX-License-Identifier: Apache-2.0
import Testing
import XDP

@testable import Capture

@Suite("Points in capture files")
struct CapturePlaceTests {
    @Test(
        "a point is found again in the name of its interface",
        arguments: [
            TapPoint(.start), TapPoint(.entry, member: "a.b-c"), TapPoint(.exit, member: "ids"),
            TapPoint(.end),
            TapPoint(.end, member: "ids"),
        ])
    func roundTrip(point: TapPoint) {
        let place = CapturePlace(interface: "eth0.5", point: point)
        #expect(CapturePlace(parsing: place.description) == place)
    }

    @Test("other names are interfaces, those of xdpdump are points")
    func foreign() {
        #expect(CapturePlace(parsing: "eth0") == CapturePlace(interface: "eth0", point: nil))
        #expect(CapturePlace(parsing: "Local Area Connection 2").point == nil)
        #expect(CapturePlace(parsing: "eth0 :exit").point == nil && CapturePlace(parsing: "").interface == "")
        #expect(
            CapturePlace(parsing: "eth0:xdp_drop()@fexit")
                == CapturePlace(interface: "eth0", point: TapPoint(.exit, member: "xdp_drop")))
        #expect(CapturePlace(parsing: "eth0:()@fentry").point == nil)
        // Names with spaces, which are nobody's interface here, and what is no member's name.
        #expect(
            CapturePlace(parsing: "a b c:exit")
                == CapturePlace(interface: "a b", point: TapPoint(.exit, member: "c")))
        #expect(CapturePlace(parsing: "a b:f()@fexit").description == "a b f:exit")
        #expect(CapturePlace(parsing: "eth0 ü:exit").point == nil)
    }
}
