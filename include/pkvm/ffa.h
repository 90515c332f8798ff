// SPDX-License-Identifier: GPL-2.0-only
// Numbers of the Arm Firmware Framework for A-profile (Arm DEN 0077A 1.1): functions, errors and
// the layout of a memory transaction's descriptor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace pkvm::ffa {

inline constexpr std::uint32_t error = 0x8400'0060;
inline constexpr std::uint32_t success = 0x8400'0061;
inline constexpr std::uint32_t version = 0x8400'0063;
inline constexpr std::uint32_t features = 0x8400'0064;
inline constexpr std::uint32_t rx_release = 0x8400'0065;
inline constexpr std::uint32_t rxtx_map32 = 0x8400'0066;
inline constexpr std::uint32_t rxtx_map = 0xC400'0066;
inline constexpr std::uint32_t rxtx_unmap = 0x8400'0067;
inline constexpr std::uint32_t partition_info_get = 0x8400'0068;
inline constexpr std::uint32_t id_get = 0x8400'0069;
inline constexpr std::uint32_t msg_poll = 0x8400'006A;
inline constexpr std::uint32_t msg_wait = 0x8400'006B;
inline constexpr std::uint32_t msg_send = 0x8400'006E;
inline constexpr std::uint32_t direct_request32 = 0x8400'006F;
inline constexpr std::uint32_t direct_request = 0xC400'006F;
inline constexpr std::uint32_t direct_response32 = 0x8400'0070;
inline constexpr std::uint32_t mem_donate32 = 0x8400'0071;
inline constexpr std::uint32_t mem_donate = 0xC400'0071;
inline constexpr std::uint32_t mem_lend32 = 0x8400'0072;
inline constexpr std::uint32_t mem_lend = 0xC400'0072;
inline constexpr std::uint32_t mem_share32 = 0x8400'0073;
inline constexpr std::uint32_t mem_share = 0xC400'0073;
inline constexpr std::uint32_t mem_retrieve_req32 = 0x8400'0074;
inline constexpr std::uint32_t mem_retrieve_req = 0xC400'0074;
inline constexpr std::uint32_t mem_retrieve_resp = 0x8400'0075;
inline constexpr std::uint32_t mem_relinquish = 0x8400'0076;
inline constexpr std::uint32_t mem_reclaim = 0x8400'0077;
inline constexpr std::uint32_t mem_op_pause = 0x8400'0078;
inline constexpr std::uint32_t mem_op_resume = 0x8400'0079;
inline constexpr std::uint32_t mem_frag_rx = 0x8400'007A;
inline constexpr std::uint32_t mem_frag_tx = 0x8400'007B;

/// A fast call of the standard secure services, 0x60 to 0x7F of them: as pKVM looks at it, which
/// leaves bits 23:16 out (pkvm-abi.md 8.3).
constexpr bool in_range(std::uint32_t id) {
  constexpr std::uint32_t looked_at = 0xBF00'FFE0;
  return (id & looked_at) == 0x8400'0060;
}

/// In x2 beside `error` in x0.
enum class Error : std::int32_t {
  none = 0,
  not_supported = -1,
  invalid_parameters = -2,
  no_memory = -3,
  busy = -4,
  denied = -6,
  aborted = -8,
};

inline constexpr std::uint32_t version_1_0 = 0x1'0000;
inline constexpr std::uint32_t version_1_1 = 0x1'0001;
constexpr std::uint32_t major(std::uint32_t of) {
  return of >> 16;
}

inline constexpr std::uint64_t page_size = 4096;
/// Properties of RXTX_MAP: buffers of a page are enough.
inline constexpr std::uint32_t buffers_of_4k = 0;
/// The host's id, and the hypervisor's.
inline constexpr std::uint32_t host_id = 0;

/// Of a partition in the answer of PARTITION_INFO_GET 1.0; later versions say their size.
inline constexpr std::uint32_t partition_size_1_0 = 8;
inline constexpr std::uint32_t partition_size = 24;
/// The flag that asks for their number alone.
inline constexpr std::uint32_t only_count = 1;

/// A handle as calls and answers have it: two registers with 32 bits each.
constexpr std::uint64_t handle_of(std::uint64_t low, std::uint64_t high) {
  constexpr unsigned half = 32;
  return static_cast<std::uint32_t>(low) | std::uint64_t{static_cast<std::uint32_t>(high)} << half;
}

/// A value at a place of a descriptor; the caller has made sure that it is inside.
template <typename T>
T field(std::span<const std::uint8_t> bytes, std::size_t offset) {
  T value{};
  __builtin_memcpy(&value, &bytes[offset], sizeof value);
  return value;
}
template <typename T>
void put(std::span<std::uint8_t> bytes, std::size_t offset, T value) {
  __builtin_memcpy(&bytes[offset], &value, sizeof value);
}

namespace descriptor {
inline constexpr std::size_t sender = 0;           // 16 bits
inline constexpr std::size_t handle = 8;           // 64 bits
inline constexpr std::size_t receiver_count = 28;  // 32 bits
/// Where the first receiver's part begins: the header's size.
constexpr std::size_t header_size(std::uint32_t version) {
  return version > version_1_0 ? 48 : 32;
}
inline constexpr std::size_t receiver_size = 16;
inline constexpr std::size_t ranges_of_receiver = 8;  // 32 bits: offset of a composite

inline constexpr std::size_t composite_pages = 0;  // 32 bits: of all ranges
inline constexpr std::size_t composite_count = 4;  // 32 bits
inline constexpr std::size_t composite_size = 16;
/// Then ranges: address (64 bits), pages (32 bits), 32 bits.
inline constexpr std::size_t range_size = 16;
inline constexpr std::size_t range_pages = 8;
}  // namespace descriptor

}  // namespace pkvm::ffa
