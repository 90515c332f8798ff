// SPDX-License-Identifier: GPL-2.0-only
#include "host/wake_timer.h"

#include <cstdint>

#include "host/early.h"
#include "host/memory.h"
#include "support/bits.h"

namespace pkvmemu::host {

namespace {

constexpr unsigned virtual_timer_interrupt = 27;  // PPI 11 of the devicetree

// Arm IHI 0069, 12.9: offsets of the distributor, of a redistributor and of its SGI frame.
constexpr std::uint64_t gicd_ctlr = 0;
constexpr std::uint64_t gicr_waker = 0x14;
constexpr std::uint64_t gicr_sgi_frame = 0x1'0000;
constexpr std::uint64_t gicr_igroupr0 = gicr_sgi_frame + 0x80;
constexpr std::uint64_t gicr_isenabler0 = gicr_sgi_frame + 0x100;
constexpr std::uint64_t redistributor_size = 0x2'0000;
constexpr std::uint32_t enable_group1_and_affinity = 0x12;
constexpr std::uint32_t children_asleep = 0x4;

volatile std::uint32_t& device_word(std::uint64_t base, std::uint64_t offset) {
  return *reinterpret_cast<volatile std::uint32_t*>(base + offset);
}

/// The way of the timer's interrupt from its redistributor to this CPU.
void open_gic(const GicV3& gic) {
  const std::uint64_t distributor = map_device(gic.distributor.base, page_size);
  const std::uint64_t redistributor = map_device(gic.redistributors.base, redistributor_size);
  device_word(distributor, gicd_ctlr) = enable_group1_and_affinity;
  device_word(redistributor, gicr_waker) = 0;
  while ((device_word(redistributor, gicr_waker) & children_asleep) != 0) {
  }
  device_word(redistributor, gicr_igroupr0) = 1U << virtual_timer_interrupt;
  device_word(redistributor, gicr_isenabler0) = 1U << virtual_timer_interrupt;
  asm volatile(
      "msr s3_0_c4_c6_0, %0\n"    // ICC_PMR_EL1: every priority
      "msr s3_0_c12_c12_7, %1\n"  // ICC_IGRPEN1_EL1
      "isb" ::"r"(std::uint64_t{0xff}),
      "r"(std::uint64_t{1})
      : "memory");
}

void open_gic_once() {
  static constinit bool opened = false;
  const GicV3& gic = boot_state.info.gic;
  if (opened || gic.distributor.empty() || gic.redistributors.empty()) return;
  open_gic(gic);
  opened = true;
}

}  // namespace

void arm_wake_timer() {
  constexpr std::uint64_t per_second = 1000;
  open_gic_once();
  std::uint64_t frequency = 0;
  asm volatile("mrs %0, cntfrq_el0" : "=r"(frequency));
  asm volatile("msr cntv_tval_el0, %0\n msr cntv_ctl_el0, %1\n isb" ::"r"(frequency / per_second),
               "r"(std::uint64_t{1}));
}

void disarm_wake_timer() {
  asm volatile("msr cntv_ctl_el0, xzr\n isb");
}

}  // namespace pkvmemu::host
