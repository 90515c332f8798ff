// SPDX-License-Identifier: GPL-2.0-only
// What our guests and whoever starts them agree on: where things lie, the header of a guest image,
// and what the virtual machine monitor tells the guest. The monitor is the host kernel's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pkvm::guest {

// Guest physical addresses. The firmware's and RAM's are those of Android's virtual machines.
inline constexpr std::uint64_t firmware_ipa = 0x7fc0'0000;
/// Pages that the monitor gives it: the image, and its stack behind it.
inline constexpr std::uint64_t firmware_memory = 0x2'0000;
inline constexpr std::uint64_t ram_ipa = 0x8000'0000;
inline constexpr std::uint64_t ram_size = 0x10'0000;
inline constexpr std::uint64_t payload_ipa = ram_ipa + 0x1'0000;
/// A page that belongs to nobody.
inline constexpr std::uint64_t nowhere_ipa = 0x2000'0000;
/// PL011: characters go to the data register; the flag register always says ready.
inline constexpr std::uint64_t uart_ipa = 0x0900'0000;
inline constexpr std::uint64_t uart_flags_offset = 0x18;
/// The monitor's mailbox: the guest writes the address of a page that it shares, the monitor
/// answers in that page; read: how many pages were answered.
inline constexpr std::uint64_t mailbox_ipa = 0x0a00'0000;
/// The guest writes the address of a page here: the monitor reads it, executes its first
/// instruction, and writes to its second word, and tells what came of each.
inline constexpr std::uint64_t intrusion_ipa = mailbox_ipa + 8;
/// A store here is the monitor's to answer, and means nothing.
inline constexpr std::uint64_t ignored_ipa = mailbox_ipa + 16;
/// Exits, or calls, of the programs that the benchmark runs.
inline constexpr std::uint64_t benchmark_rounds = 20'000;

/// Guests that the monitor keeps alive at once.
inline constexpr std::size_t most_at_once = 4;

/// First bytes of firmware and payloads; the first instruction branches over it.
struct ImageHeader {
  std::uint32_t branch;
  std::uint32_t version;
  std::uint64_t magic;
  std::uint64_t size;      ///< bytes of the image, a multiple of 8
  std::uint64_t checksum;  ///< of all words of the image but this one
};
static_assert(sizeof(ImageHeader) == 32);
inline constexpr std::uint64_t firmware_magic = 0x3157'4656'504d'4b50;  // "PKMPVFW1"
inline constexpr std::uint64_t payload_magic = 0x3144'4c59'4150'4b50;   // "PKPAYLD1"
inline constexpr std::uint32_t image_version = 1;

/// FNV-1a over 64-bit words.
inline constexpr std::uint64_t checksum_start = 0xcbf2'9ce4'8422'2325;
constexpr std::uint64_t checksum_step(std::uint64_t sum, std::uint64_t word) {
  constexpr std::uint64_t prime = 0x100'0000'01b3;
  return (sum ^ word) * prime;
}

/// At ram_ipa, x0 of the entry vCPU: what the monitor tells the guest.
struct BootPage {
  std::uint64_t magic;
  std::uint64_t payload_ipa;
  std::uint64_t payload_size;  ///< 0: there is none, the firmware reports in and powers off
  std::uint64_t vcpus;
};
/// What the firmware prints first of all.
inline constexpr std::string_view firmware_greeting = "pvmfw: running in a protected VM";
inline constexpr std::uint64_t boot_magic = 0x3154'4f4f'424b'5650;  // "PVKBOOT1"

/// What guest and monitor write into a shared page: each word of the answer is the question's,
/// inverted.
inline constexpr std::size_t shared_words = 512;

}  // namespace pkvm::guest
