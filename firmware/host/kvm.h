// SPDX-License-Identifier: GPL-2.0-only
// KVM's EL1 side: starting the hypervisor, calling it, and giving up the host's privileges
// (pkvm-abi.md 4.4, 4.5, 6).
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>

#include "host/arch.h"
#include "host/boot_info.h"
#include "host/command_line.h"
#include "host/quirks.h"
#include "pkvm/generation.h"
#include "pkvm/hyp_image.h"
#include "pkvm/hypercall.h"
#include "support/address.h"

namespace pkvmemu::host {

enum class KvmPhase : std::uint8_t { off, initialised, finalised };

class Kvm {
 public:
  constexpr Kvm() = default;

  /// Installs the hypervisor: 0, or a negated errno with everything as it was.
  int init(const CommandLine& line);
  KvmPhase phase() const { return phase_; }
  const QuirkRules& quirks() const { return quirks_; }
  pkvm::Generation generation() const { return generation_; }

  /// __pkvm_prot_finalize on this CPU: 0, or what it answered.
  int finalize();

  /// 6.1: no more IOMMU devices come; `err` is the driver's own failure. What the call answered.
  int finalize_iommu(int err);
  /// It succeeded, with a driver that had none (pkvm_iommu_finalized).
  bool iommu_finalized() const { return iommu_finalized_; }

  /// EL2's own note of where pVM firmware lies is cleared (6.5); before finalisation.
  static void forget_firmware();

  /// A static call: x1 of the answer, or -EOPNOTSUPP when x0 is not 0 or the generation lacks it.
  std::int64_t call(pkvm::Hypercall call, std::initializer_list<std::uint64_t> arguments) const;
  /// The same with all that came back; nothing when x0 is not 0 or the generation lacks it.
  std::optional<arch::CallRegisters> exchange(pkvm::Hypercall call,
                                              std::initializer_list<std::uint64_t> arguments) const;
  /// The same for a call that may lack heap: while it answers -ENOMEM and how many pages it lacks,
  /// it gets them and is made again. -EPERM when x0 is not 0 (pkvm-abi.md 4.4).
  std::int64_t call_with_refills(pkvm::Hypercall call,
                                 std::initializer_list<std::uint64_t> arguments) const;

  /// The hypervisor's address of something in its image.
  HypVa hyp_va(std::uint64_t image_offset) const;
  /// Memory that is the hypervisor's from __pkvm_init on.
  const PhysRange& pool() const { return pool_; }
  /// The kernel's own view of the image, until finalisation takes it away.
  static const pkvm::HypImageHeader& header();
  /// Offset in the hypervisor's image, for addresses that lie there.
  std::optional<std::uint64_t> image_offset(HypVa address) const;

 private:
  void relocate_image() const;
  void fill_boot_info(const CommandLine& line) const;
  std::optional<Pa> build_first_tables() const;
  HypVa linear_hyp_va(Pa pa) const { return HypVa{pa.value - physvirt_offset_}; }

  pkvm::Generation generation_ = pkvm::Generation::android15_6_6;
  QuirkRules quirks_;
  KvmPhase phase_ = KvmPhase::off;
  bool iommu_finalized_ = false;
  Pa image_;
  /// Kept: once the host is deprivileged it cannot read the header any more.
  std::uint64_t image_size_ = 0;
  PhysRange pool_;
  std::uint64_t physvirt_offset_ = 0;
};

Kvm& kvm();

/// Where hyp panic enters the kernel (pkvm-abi.md 8.5).
extern "C" [[noreturn]] void nvhe_hyp_panic_handler(std::uint64_t esr, std::uint64_t spsr,
                                                    std::uint64_t elr, std::uint64_t elr_pa,
                                                    std::uint64_t par, std::uint64_t vcpu,
                                                    std::uint64_t far, std::uint64_t hpfar);

}  // namespace pkvmemu::host
