// SPDX-License-Identifier: Apache-2.0

/// What Debian's xdp-tools and libxdp install.
enum PackagedObjects {
    /// Where their objects are.
    static let folder: String = {
        #if arch(arm64)
            "/usr/lib/aarch64-linux-gnu/bpf"
        #else
            "/usr/lib/x86_64-linux-gnu/bpf"
        #endif
    }()
}
