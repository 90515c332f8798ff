// SPDX-License-Identifier: GPL-2.0-only
// Who asks the MMU for what, and what it may do: accesses, permissions, memory attributes.
#pragma once

#include <algorithm>
#include <cstdint>

namespace pkvmemu::mmu {

enum class AccessKind : std::uint8_t { read, write, execute };

/// EL0 or the regime's own exception level. It matters in the EL1&0 regime only.
enum class Privilege : std::uint8_t { unprivileged, privileged };

struct Access {
  AccessKind kind = AccessKind::read;
  Privilege privilege = Privilege::privileged;
};

/// What one privilege level may do with a page.
struct Permissions {
  bool read = false;
  bool write = false;
  bool execute = false;

  constexpr bool operator==(const Permissions&) const = default;
  constexpr Permissions operator&(Permissions other) const {
    return {.read = read && other.read,
            .write = write && other.write,
            .execute = execute && other.execute};
  }
  [[nodiscard]] constexpr bool allow(AccessKind kind) const {
    switch (kind) {
      case AccessKind::read:
        return read;
      case AccessKind::write:
        return write;
      case AccessKind::execute:
        return execute;
    }
    return false;
  }
};

inline constexpr Permissions all_permissions{.read = true, .write = true, .execute = true};

/// The encodings of SH in descriptors and PAR_EL1.
enum class Shareability : std::uint8_t { none = 0, reserved = 1, outer = 2, inner = 3 };

/// Memory type in the encoding of a MAIR_ELx byte, as PAR_EL1.ATTR reports it.
struct MemoryAttributes {
  std::uint8_t mair = 0;
  Shareability shareability = Shareability::none;

  constexpr bool operator==(const MemoryAttributes&) const = default;
  [[nodiscard]] constexpr bool is_device() const { return (mair & 0xf0U) == 0; }
};

/// Normal memory, write-back, read and write allocate, not shared: what combines with any other
/// attributes without changing them.
inline constexpr MemoryAttributes neutral_attributes{.mair = 0xff,
                                                     .shareability = Shareability::none};

}  // namespace pkvmemu::mmu
