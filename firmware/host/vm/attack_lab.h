// SPDX-License-Identifier: GPL-2.0-only
// What an attack on guests needs of the world around it: hypercalls, the host's accesses, and
// pages. The kernel's own is attack_run.cpp; natively a test stands for it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "host/touch.h"
#include "host/vm/attack.h"
#include "pkvm/generation.h"
#include "pkvm/hypercall.h"
#include "support/address.h"

namespace pkvmemu::host {

/// x1 to x4 of a hypercall.
using CallArguments = std::array<std::uint64_t, 4>;

struct CallAnswer {
  std::uint64_t x0 = 0;
  std::uint64_t x1 = 0;
  std::uint64_t x3 = 0;
};

/// Memory that nobody gave to the attacker.
struct Landmarks {
  Pa hypervisor{0};  ///< a page of EL2's
  Pa device{0};
  Pa beyond{0};  ///< behind the end of RAM
};

class AttackLab {
 public:
  AttackLab() = default;
  AttackLab(const AttackLab&) = delete;
  AttackLab& operator=(const AttackLab&) = delete;

  [[nodiscard]] virtual pkvm::Generation generation() const = 0;
  [[nodiscard]] virtual Landmarks landmarks() const = 0;
  [[nodiscard]] virtual AttackPhase phase() const = 0;
  [[nodiscard]] virtual bool has_firmware() const = 0;

  virtual CallAnswer call(pkvm::Hypercall call, const CallArguments& arguments) = 0;
  virtual Touched touch(Access access, Pa pa, std::uint64_t value) = 0;

  /// A page of the host's.
  virtual std::optional<Pa> take_page() = 0;
  /// The address of a page in calls that take the kernel's, and where the host reaches it.
  [[nodiscard]] virtual std::uint64_t kernel_va(Pa page) const = 0;
  [[nodiscard]] virtual std::byte* memory(Pa page) const = 0;
  /// What was written there is to be seen, and fetched, with caches off.
  virtual void publish(Pa page) = 0;

 protected:
  ~AttackLab() = default;
};

}  // namespace pkvmemu::host
