// SPDX-License-Identifier: GPL-2.0-only
// What a guest did with scripted devices and with EL3, for reports.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "support/address.h"

namespace pkvmemu::device {

/// Accesses of one register, or of an offset where there is none. An access of 64 bits is two.
struct RegisterUse {
  std::string name{};
  std::uint64_t offset = 0;
  bool is_scripted = false;  ///< there is a register
  std::uint64_t reads = 0;
  std::uint64_t writes = 0;
  std::optional<std::uint64_t> last_read{};
  std::optional<std::uint64_t> last_written{};
};

struct RegionUse {
  std::string name{};
  Pa base;
  std::uint64_t size = 0;
  std::uint64_t reads = 0;
  std::uint64_t writes = 0;
  /// All registers, and the first offsets without one that were accessed.
  std::vector<RegisterUse> registers{};
};

/// Who answered an SMC.
enum class SecureSource : std::uint8_t { nobody, monitor, script, ffa, fault };

struct SecureUse {
  std::string name{};
  std::uint32_t function = 0;
  std::uint64_t calls = 0;
  std::uint64_t unanswered = 0;
  bool is_scripted = false;                     ///< a script, or its FF-A, answered at least once
  std::vector<std::uint64_t> last_arguments{};  ///< x1 to x7
  std::vector<std::uint64_t> last_answer{};     ///< x0 to x3
};

struct WorldUse {
  std::vector<RegionUse> regions{};
  std::vector<SecureUse> secure_calls{};  ///< in the order of first call
  std::vector<std::string> log{};         ///< of what is logged
  std::uint64_t log_dropped = 0;
};

}  // namespace pkvmemu::device
