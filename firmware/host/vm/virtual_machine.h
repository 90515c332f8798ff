// SPDX-License-Identifier: GPL-2.0-only
// The kernel's KVM as far as virtual machines need it: what /dev/kvm answers, per generation
// (pkvm-abi.md 6.5, 9.2), and the hypercalls behind it. Answers are 0 or -errno, as from an ioctl.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <optional>

#include "host/boot_info.h"
#include "lib/fault.h"
#include "pkvm/generation.h"
#include "pkvm/vm.h"

namespace pkvmemu::host {

/// Why KVM_RUN came back.
enum class RunExit : std::uint8_t {
  mmio_read,
  mmio_write,
  call,         ///< a hypercall that is the monitor's to answer: vcpu().x
  wait,         ///< WFI or WFE
  stray,        ///< an access to nothing that could be emulated
  not_running,  ///< the hypervisor would not run it
  failed,       ///< see RunResult::error
};

struct RunResult {
  RunExit why;
  std::uint64_t ipa = 0;    ///< mmio_*, stray
  std::uint64_t value = 0;  ///< mmio_write
  int error = 0;
};

/// Where a guest's memory comes from. Pages from the end of RAM have held no code so far: where
/// code has run, a machine that translates may have much to forget.
enum class GuestMemory : std::uint8_t { any, end_of_ram };

class VirtualMachine {
 public:
  /// KVM_CREATE_VM with type 0 or vm_type_protected.
  int create(pkvm::Generation generation, std::uint64_t type);

  // KVM_ENABLE_CAP, KVM_CAP_ARM_PROTECTED_VM: the flags INFO and SET_FW_IPA.
  int firmware_info(std::uint64_t& size) const;
  int set_firmware_ipa(std::uint64_t ipa);
  /// The flag SET_FFA of 6.12: -EINVAL where there is none, or no secure world.
  int allow_ffa();

  /// KVM_SET_USER_MEMORY_REGION with memory of the kernel's, each page zeroed when it is needed.
  int add_memory(std::uint64_t ipa, std::uint64_t size, GuestMemory from = GuestMemory::any);
  /// KVM_CREATE_VCPU and KVM_ARM_VCPU_INIT.
  int create_vcpu(pkvm::VcpuPower power);

  /// KVM_RUN. The hypervisor's VM is made by the first one.
  RunResult run(unsigned index);
  /// After an mmio_read: what the guest gets. After either: the access is done.
  void finish_mmio(unsigned index, std::uint64_t value);
  void abort_access(unsigned index);

  /// Gives everything back, and says how many pages the guest had; -errno when the hypervisor keeps
  /// some.
  int destroy();

  bool is_protected() const { return shared_->is_protected != 0; }
  unsigned vcpu_count() const { return static_cast<unsigned>(shared_->created_vcpus); }
  pkvm::HostVcpu& vcpu(unsigned index) { return *vcpus_[index]; }
  /// Where guest memory lies, for the monitor's own accesses; nothing unless all of it is in one
  /// slot.
  std::optional<Pa> backing(std::uint64_t ipa, std::uint64_t size = 1);
  /// Pages that came back from a protected guest and were not zero.
  /// The guest gave the page there back by itself.
  void forget_page(std::uint64_t ipa);
  unsigned dirty_pages() const { return dirty_pages_; }
  unsigned pages_given() const { return pages_given_; }

 private:
  static constexpr unsigned max_slots = 3;
  static constexpr std::size_t max_slot_pages = 512;

  struct Slot {
    std::uint64_t ipa = 0;
    std::uint64_t pages = 0;
    Pa memory{0};
    std::bitset<max_slot_pages> given;
    std::bitset<max_slot_pages> zeroed;
  };

  Slot* slot_of(std::uint64_t ipa);
  static void prepare(Slot& slot, std::uint64_t page);
  int start();
  int init_vm();
  int init_vcpu(unsigned index);
  int give_page(unsigned vcpu, std::uint64_t ipa);
  int map_page(Pa page, std::uint64_t ipa) const;
  static bool top_up(pkvm::Memcache& cache);
  RunResult handle_trap(unsigned index);
  RunResult handle_abort(unsigned index);
  int start_teardown() const;
  int finalize_teardown() const;
  int reclaim_pages();
  int reclaim_ffa() const;
  int reclaim(Slot& slot, std::uint64_t page);
  void check_zero(Pa page);
  int free_shared();

  pkvm::Generation generation_ = pkvm::Generation::android15_6_6;
  pkvm::HostVm* shared_ = nullptr;
  std::array<pkvm::HostVcpu*, pkvm::max_vcpus> vcpus_{};
  std::array<Slot, max_slots> slots_{};
  unsigned slot_count_ = 0;
  std::uint64_t handle_ = 0;
  unsigned started_vcpus_ = 0;  ///< that the hypervisor knows
  unsigned dirty_pages_ = 0;
  unsigned pages_given_ = 0;
  Pa page_{0};
};

}  // namespace pkvmemu::host
