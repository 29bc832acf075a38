// SPDX-License-Identifier: Apache-2.0
#pragma once

// Linux and libbpf have other structures of these names, which one program could not know beside these.
#define bpf_insn pcap_bpf_insn
#define bpf_program pcap_bpf_program
#include <pcap/pcap.h>
#undef bpf_insn
#undef bpf_program
