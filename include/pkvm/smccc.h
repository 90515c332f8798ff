// SPDX-License-Identifier: GPL-2.0-only
// SMC Calling Convention (Arm DEN 0028) and PSCI (Arm DEN 0022) numbers; KVM's host call range
// (pkvm-abi.md 4.1).
#pragma once

#include <cstdint>

namespace pkvm::smccc {

inline constexpr std::int64_t success = 0;
inline constexpr std::int64_t not_supported = -1;
inline constexpr std::int64_t not_required = -2;
inline constexpr std::int64_t invalid_parameter = -3;

/// Bit 16 of a function id: the caller has no live SVE state. Stripped before decoding from 6.6 on.
inline constexpr std::uint64_t sve_hint = 0x1'0000;

/// Bit 30 of a function id: arguments are 64 bits wide; without it the upper halves do not count.
inline constexpr std::uint64_t is_64_bit = 0x4000'0000;

inline constexpr std::uint32_t version_id = 0x8000'0000;
inline constexpr std::uint32_t arch_features_id = 0x8000'0001;

/// Fast call, 64-bit, owner 6 (vendor hypervisor).
inline constexpr std::uint32_t kvm_host_base = 0xC600'0000;
/// KVM_HOST_SMCCC_ID(n).
constexpr std::uint32_t kvm_host_id(std::uint32_t n) {
  return kvm_host_base | (n & 0xFFFF);
}

}  // namespace pkvm::smccc

namespace pkvm::psci {

inline constexpr std::uint32_t version = 0x8400'0000;
inline constexpr std::uint32_t cpu_suspend64 = 0xC400'0001;
inline constexpr std::uint32_t cpu_off = 0x8400'0002;
inline constexpr std::uint32_t cpu_on32 = 0x8400'0003;
inline constexpr std::uint32_t cpu_on64 = 0xC400'0003;
inline constexpr std::uint32_t affinity_info32 = 0x8400'0004;
inline constexpr std::uint32_t affinity_info64 = 0xC400'0004;
inline constexpr std::uint32_t migrate_info_type = 0x8400'0006;
inline constexpr std::uint32_t system_off = 0x8400'0008;
inline constexpr std::uint32_t system_reset = 0x8400'0009;
inline constexpr std::uint32_t features = 0x8400'000A;
inline constexpr std::uint32_t system_suspend64 = 0xC400'000E;
inline constexpr std::uint32_t system_reset2_32 = 0x8400'0012;
inline constexpr std::uint32_t system_reset2 = 0xC400'0012;

/// The function-id ranges that belong to PSCI (pkvm-abi.md 8.3).
constexpr bool in_range(std::uint64_t id) {
  const std::uint64_t low = id & 0xFFFF'FFFF;
  return (low >= 0x8400'0000 && low <= 0x8400'001F) || (low >= 0xC400'0000 && low <= 0xC400'001F);
}

inline constexpr std::int64_t success = 0;
inline constexpr std::int64_t not_supported = -1;
inline constexpr std::int64_t invalid_parameters = -2;
inline constexpr std::int64_t denied = -3;

}  // namespace pkvm::psci
