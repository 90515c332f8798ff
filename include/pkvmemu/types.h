// SPDX-License-Identifier: GPL-2.0-only
// The small types of pkvm-emu's C++ interface (docs/cpp-api.md).
#pragma once

#include <array>
#include <cstdint>
#include <iosfwd>
#include <string_view>

// The inline namespace is the version of the interface: programs of another one do not link.
namespace pkvmemu::inline v1 {

/// A kernel generation, by the branch that modules are built for.
enum class Generation : std::uint8_t { android14_6_1, android15_6_6, android16_6_12 };

/// For parametrised tests: testing::ValuesIn(pkvmemu::generations).
inline constexpr std::array generations = {Generation::android14_6_1, Generation::android15_6_6,
                                           Generation::android16_6_12};

/// "android15-6.6".
std::string_view name_of(Generation generation);
/// The same as C++ names have it, for names of parametrised tests: "android15_6_6".
std::string_view identifier_of(Generation generation);
std::ostream& operator<<(std::ostream& stream, Generation generation);

/// What kernel code answers: 0, or a negative error number as <cerrno> has them. Compares with
/// `-ENOMEM`, and prints as "-12 (ENOMEM)".
class Status {
 public:
  // Conversion is what it is for: EXPECT_EQ(module.status, -ENOMEM).
  constexpr Status(std::int64_t value = 0) : value_(value) {}  // NOLINT(*-explicit-*)

  [[nodiscard]] constexpr bool ok() const { return value_ == 0; }
  [[nodiscard]] constexpr std::int64_t value() const { return value_; }
  constexpr bool operator==(const Status&) const = default;

 private:
  std::int64_t value_;
};
std::ostream& operator<<(std::ostream& stream, Status status);

/// A physical address as the host kernel uses it, before stage 2. RAM begins at 0x40000000.
struct PhysicalAddress {
  std::uint64_t value = 0;
  constexpr auto operator<=>(const PhysicalAddress&) const = default;
};
std::ostream& operator<<(std::ostream& stream, PhysicalAddress address);

/// Where a boot stands.
enum class Stage : std::uint8_t {
  /// The kernel and the hypervisor are up; the first protected module is next. Faults and snapshots
  /// can be made; the kernel takes no requests.
  before_modules,
  /// The protected modules are loaded, or one was refused; EL1 still has its privileges. The kernel
  /// takes requests.
  before_deprivilege,
  /// The host has given up its privileges; the kernel takes requests.
  after_deprivilege,
  /// The machine is off, or has panicked, or hangs.
  ended,
};
std::ostream& operator<<(std::ostream& stream, Stage stage);

}  // namespace pkvmemu::inline v1
