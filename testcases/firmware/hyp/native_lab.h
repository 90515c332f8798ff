// SPDX-License-Identifier: GPL-2.0-only
// The host, natively: its hypercalls go into the hypervisor's own dispatcher, its accesses fault as
// its stage 2 says, and a guest is a function that does what the attackers' victim does.
#pragma once

#include "host/vm/attack_lab.h"
#include "hyp_window.h"
#include "world.h"

namespace pkvmemu::hyp::test {

class NativeLab final : public host::AttackLab {
 public:
  static constexpr std::size_t first_block_page = 0x100;
  static constexpr std::size_t first_heap_page = 0x200;
  static constexpr std::size_t last_heap_page = 0x3E0;
  /// What stands for the pVM firmware: of the hypervisor's pool, at its end.
  static constexpr std::uint64_t firmware_size = 4 * page_size;

  explicit NativeLab(pkvm::Generation generation,
                     host::AttackPhase phase = host::AttackPhase::after);
  ~NativeLab();

  [[nodiscard]] pkvm::Generation generation() const override { return generation_; }
  [[nodiscard]] host::AttackPhase phase() const override { return phase_; }
  [[nodiscard]] bool has_firmware() const override { return true; }
  [[nodiscard]] host::Landmarks landmarks() const override {
    return {.hypervisor = pool_begin, .device = uart, .beyond = ram_end};
  }
  host::CallAnswer call(pkvm::Hypercall call, const host::CallArguments& arguments) override;
  host::Touched touch(host::Access access, Pa pa, std::uint64_t value) override;
  std::optional<Pa> take_page() override;
  [[nodiscard]] std::uint64_t kernel_va(Pa page) const override;
  [[nodiscard]] std::byte* memory(Pa page) const override;
  void publish(Pa /*page*/) override {}

  [[nodiscard]] static Pa block() { return host_page(first_block_page); }
  World& world() { return world_; }
  /// Of the host's pages from first_heap_page on so many are the heap's.
  [[nodiscard]] std::size_t heap_pages() const { return next_page_ - first_heap_page; }

 private:
  pkvm::Generation generation_;
  World world_;
  HypWindow window_{world_.backing()};
  host::AttackPhase phase_;
  std::size_t next_page_ = first_heap_page;
};

}  // namespace pkvmemu::hyp::test
