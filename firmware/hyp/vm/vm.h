// SPDX-License-Identifier: GPL-2.0-only
// Virtual machines as the hypervisor knows them (pkvm-abi.md 9): made by the host's calls, kept
// where the host cannot reach them, and the only truth about a protected guest.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "hyp/host_stage2.h"
#include "hyp/layout.h"
#include "hyp/memory_map.h"
#include "hyp/vm/guest_context.h"
#include "hyp/vm/guest_ffa_state.h"
#include "hyp/vm/guest_pool.h"
#include "lib/spinlock.h"
#include "pkvm/vm.h"

namespace pkvmemu::hyp {

struct Vm;

/// Where a vCPU goes on when it is next run, set by PSCI CPU_ON or by the first run.
struct VcpuReset {
  std::uint64_t pc;
  std::uint64_t x0;
};

/// An access of a protected guest that the host was shown: ESR_EL2 says which register it is of.
struct ShownAccess {
  std::uint64_t esr;
};

/// What a guest's access to nothing becomes when the host wishes it (Arm ARM D17.2.37).
enum class PendingAbort : std::uint8_t {
  none,
  data,
  instruction,
};

struct Vcpu {
  Vcpu(Vm& owner, unsigned number, pkvm::HostVcpu& shared)
      : vm(&owner), host(&shared), index(number) {}

  GuestContext context;
  Vm* vm;
  pkvm::HostVcpu* host;
  unsigned index;
  /// Of a protected guest: the hypervisor's word counts, not the host's.
  pkvm::VcpuPower power = pkvm::VcpuPower::stopped;
  bool has_run = false;
  std::optional<VcpuReset> reset;
  std::optional<ShownAccess> shown;
  /// Of the last exit: an entry may follow no other by an exception of the host's choice, which
  /// would begin a vCPU elsewhere than at its reset, or overwrite ELR_EL1 anywhere.
  PendingAbort abort = PendingAbort::none;
  std::uint64_t far = 0;  ///< FAR_EL2 of the last exit
  /// HCR_EL2 as the host would have it (pkvm-abi.md 9.3); of an ordinary guest's, and of that the
  /// traps of waiting, counts.
  std::uint64_t host_hcr = 0;
  /// Which CPU has it loaded; max_cpus when none.
  unsigned loaded_on = max_cpus;
  PaRange storage{Pa{0}, Pa{0}};
};

struct Vm {
  /// `wishes` is what `shared` said when it was checked: the host may write to it at any time.
  Vm(LinearMap linear, pkvm::HostVm& shared, const pkvm::HostVm& wishes, Pa root);
  Vm(const Vm&) = delete;
  Vm& operator=(const Vm&) = delete;

  std::uint32_t handle = 0;
  bool is_protected;
  bool is_dying = false;
  bool mmio_guard = false;
  bool smc_forwarded;  ///< to the modules' handlers (8.4)
  GuestFfa ffa;
  pkvm::HostVm* host;
  std::uint64_t pvmfw_address;
  unsigned created_vcpus;
  std::array<Vcpu*, pkvm::max_vcpus> vcpus{};
  unsigned vcpu_count = 0;
  bool has_entry_vcpu = false;  ///< of its firmware (9.4: exactly one)
  GuestPool pool;
  PageTable stage2;
  fw::Spinlock lock;
  std::uint64_t guest_pages = 0;  ///< that it holds of the host's memory
  PaRange root;
  PaRange storage{Pa{0}, Pa{0}};
  PaRange last_ran{Pa{0}, Pa{0}};

  std::uint64_t vttbr() const;
  bool has_firmware() const { return pvmfw_address != pkvm::no_pvmfw_address; }
};

/// The stage-2 shape of every guest.
constexpr Stage2Shape guest_shape() {
  constexpr unsigned parange_40_bits = 2;
  return Stage2Shape::of_parange(parange_40_bits);
}
static_assert(guest_shape().ipa_bits == pkvm::guest_ipa_bits &&
              guest_shape().root_pages * page_size == pkvm::guest_root_size);

/// All VMs by handle, and which vCPU each CPU has loaded.
class VmTable {
 public:
  constexpr VmTable() = default;

  Vm* find(std::uint64_t handle) const;
  /// With empty places.
  std::span<Vm* const> all() const { return vms_; }
  /// Gives the VM its handle; -ENOMEM when there are too many.
  Status insert(Vm& vm);
  void remove(const Vm& vm);

  Vcpu*& loaded(unsigned cpu) { return loaded_[cpu]; }

 private:
  std::array<Vm*, pkvm::max_vms> vms_{};
  std::array<Vcpu*, max_cpus> loaded_{};
};

}  // namespace pkvmemu::hyp
