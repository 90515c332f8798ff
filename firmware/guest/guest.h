// SPDX-License-Identifier: GPL-2.0-only
// The runtime of guest code: a console, calls of the hypervisor, power. The MMU is off, so nothing
// here needs more than the image itself.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "pkvm/guest.h"

namespace pkvmemu::guest {

/// x0 to x3 of a call by HVC, in and out.
using CallResult = std::array<std::uint64_t, 4>;
CallResult hvc(std::uint64_t id, std::uint64_t x1 = 0, std::uint64_t x2 = 0, std::uint64_t x3 = 0);

/// Asks for the MMIO guard and the UART's page; an ordinary VM has neither and needs neither.
void open_console();
void print(std::string_view text);
void print_number(std::uint64_t value);
void print_hex(std::uint64_t value);

template <typename Word>
Word read_mmio(std::uint64_t ipa);
void write_mmio(std::uint64_t ipa, std::uint64_t value);

/// The checksum that an image's header holds, computed anew.
std::uint64_t checksum_of(const pkvm::guest::ImageHeader& image);

/// The next synchronous exception is expected: it is noted, and the instruction skipped.
struct Exception {
  std::uint64_t esr;
  std::uint64_t far;
};
void expect_exception();
/// The one that came since expect_exception, with esr 0 when none did.
Exception expected_exception();

}  // namespace pkvmemu::guest

extern "C" {
/// The image's own; x0 of the entry.
void guest_main(std::uint64_t argument);
/// A vCPU that was switched on; weak, for images without.
void guest_secondary_main(std::uint64_t argument);
[[noreturn]] void guest_power_off();
[[noreturn]] void guest_cpu_off();
extern const char guest_secondary;  // NOLINT(readability-identifier-naming): an address
}
