// SPDX-License-Identifier: GPL-2.0-only
// What a user says of the world around the firmware: device registers, and the answers of EL3
// (docs/devices.md). Plain descriptions; scripted_device.h and secure_world.h act on them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "support/address.h"

namespace pkvmemu::device {

/// What comes when a sequence is used up.
enum class AfterLast : std::uint8_t {
  last,    ///< its last item, again and again
  repeat,  ///< it from its beginning
  stored,  ///< what the register holds; of EL3's answers there is no such thing
};

/// A value that so many reads get.
struct ReadStep {
  std::uint64_t value = 0;
  std::uint64_t times = 1;
};

/// What a write does to a register besides being stored.
struct WriteEffect {
  std::size_t target = 0;                ///< number of the register within its region
  std::uint64_t when = 0;                ///< only if one of these bits is written as 1; 0: always
  bool stores = false;                   ///< the target gets `value`
  std::optional<std::uint64_t> value{};  ///< none: what was written
  bool restarts = false;                 ///< the target's reads begin again
};

struct RegisterScript {
  std::string name{};  ///< may be empty
  std::uint64_t offset = 0;
  unsigned size = 4;  ///< bytes: 1, 2, 4 or 8
  std::uint64_t reset = 0;
  std::vector<ReadStep> reads{};  ///< empty: it reads as what it holds
  AfterLast then = AfterLast::last;
  bool reads_zero = false;                     ///< write-only
  std::uint64_t writable = ~std::uint64_t{0};  ///< bits that a write changes
  std::uint64_t clears = 0;                    ///< bits that writing 1 clears
  std::vector<WriteEffect> effects{};
  bool logged = false;

  [[nodiscard]] bool contains(std::uint64_t at) const { return at >= offset && at - offset < size; }
};

/// What offsets without a register do.
enum class Rest : std::uint8_t {
  zero,  ///< read 0, and take writes
  ram,   ///< keep what is written
};

struct RegionScript {
  std::string name{};  ///< for reports: the file, "ram" or "zero"
  Pa base;
  std::uint64_t size = 0;
  std::vector<RegisterScript> registers{};  ///< by offset; none overlaps another
  Rest rest = Rest::zero;
  bool logged = false;
};

/// x0 on: those that are there, the others stay as they are.
using SecureAnswer = std::vector<std::optional<std::uint64_t>>;

/// Where EL3 writes before it answers.
struct SecurePlace {
  enum class From : std::uint8_t {
    address,
    caller,  ///< what register `number` of the call holds
    rx,      ///< the buffer that the caller's last FFA_RXTX_MAP named to receive in
  };
  From from = From::address;
  std::uint64_t number = 0;  ///< of the register, or the address
  std::uint64_t offset = 0;
};
struct SecureWrite {
  SecurePlace to{};
  std::vector<std::byte> bytes{};
};

/// A function of EL3, or many.
struct SecureCallScript {
  std::string name{};       ///< may be empty
  std::uint32_t first = 0;  ///< function ids, under the mask
  std::uint32_t last = 0;
  std::uint32_t mask = ~std::uint32_t{0};
  /// x1 to x7: only where they hold these; nothing is anything.
  std::array<std::optional<std::uint64_t>, 7> arguments{};
  std::vector<SecureAnswer> answers{};  ///< to its first call, its second ..., at least one
  AfterLast then = AfterLast::last;
  std::vector<SecureWrite> writes{};  ///< to memory, at each call
  bool logged = false;

  /// PSCI is ours but where a script names one function of it.
  [[nodiscard]] bool names_one() const { return first == last && mask == ~std::uint32_t{0}; }
};

struct FfaPartition {
  std::uint16_t id = 0;
  std::uint32_t properties = 0;
  std::array<std::uint32_t, 4> uuid{};
};

/// A secure world that speaks FF-A (ffa_firmware.h).
struct FfaScript {
  std::uint32_t version = 0;
  std::uint64_t largest_fragment = 0;  ///< of a descriptor, towards the caller
  std::uint64_t first_handle = 0;
  std::vector<FfaPartition> partitions{};
};

struct WorldScript {
  std::vector<RegionScript> regions{};
  std::vector<SecureCallScript> secure_calls{};  ///< the first that fits answers
  std::optional<FfaScript> ffa{};                ///< answers what no script does
  bool logs_secure_calls = false;
};

}  // namespace pkvmemu::device
