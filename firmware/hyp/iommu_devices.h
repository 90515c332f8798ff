// SPDX-License-Identifier: GPL-2.0-only
// 6.1's IOMMUs (pkvm-abi.md 3.7, 5.2, 7.9): drivers that a module brings, devices that the host
// tells of, each with its own registers and the driver's state behind it. The drivers hear what
// becomes of the host's stage 2, and answer the host's accesses to their devices' registers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hyp/abi_types.h"
#include "hyp/host_stage2.h"
#include "hyp/iommu_rules.h"
#include "hyp/status.h"
#include "lib/spinlock.h"

// The ABI's structures. Modules allocate the driver and name the operations; the hypervisor makes
// the devices.
// NOLINTBEGIN(readability-identifier-naming)
struct pkvm_iommu;

struct pkvm_iommu_ops {
  int (*init)(void* data, size_t size);
  int (*validate)(pkvm_iommu* device);
  int (*validate_child)(pkvm_iommu* device, pkvm_iommu* child);
  void (*host_stage2_idmap_prepare)(phys_addr_t start, phys_addr_t end, kvm_pgtable_prot prot);
  void (*host_stage2_idmap_apply)(pkvm_iommu* device, phys_addr_t start, phys_addr_t end);
  void (*host_stage2_idmap_complete)(pkvm_iommu* device);
  int (*suspend)(pkvm_iommu* device);
  int (*resume)(pkvm_iommu* device);
  bool (*host_dabt_handler)(pkvm_iommu* device, kvm_cpu_context* host, u32 esr, size_t offset);
  size_t data_size;
};
static_assert(sizeof(pkvm_iommu_ops) == 10 * sizeof(u64));

struct pkvm_iommu_driver {
  const pkvm_iommu_ops* ops;
  list_head list;
  u32 state;
};

struct pkvm_iommu {
  pkvm_iommu* parent;
  list_head list;
  list_head siblings;
  list_head children;
  unsigned long id;
  const pkvm_iommu_ops* ops;
  phys_addr_t pa;
  void* va;
  size_t size;
  bool powered;
  u8 flags;
  // The driver's data follows, at once.
};
// NOLINTEND(readability-identifier-naming)
inline constexpr std::size_t pkvm_iommu_data = offsetof(pkvm_iommu, flags) + 1;

namespace pkvmemu::hyp {

class IommuDevices final : public HostMirror {
 public:
  constexpr IommuDevices() = default;

  enum class DriverState : std::uint8_t { unused, initialising, ready };
  enum class PowerEvent : std::uint8_t { suspend, resume };

  struct DriverData {
    HypVa at;
    std::uint64_t size;
  };
  /// Runs the driver's init over memory that the host shares meanwhile; then the driver hears of
  /// all that is not the host's.
  int init_driver(pkvm_iommu_driver* driver, const DriverData& data);

  struct Registration {
    std::uint64_t id;
    pkvm_iommu_driver* driver;
    PaRange registers;
    std::uint64_t parent;  ///< id, 0 for none
    std::uint8_t flags;
    HypVa page;  ///< memory that the host gives, 0 for none
  };
  /// The registers become the hypervisor's. -ENOMEM asks for a page.
  int add(const Registration& request);

  /// `event`: a PowerEvent.
  int notify(std::uint64_t id, std::uint64_t event);
  /// No more drivers or devices come. -EPERM the second time.
  int finalize();

  /// An access of the host that faulted: true when a driver has answered it.
  bool takes_abort(user_pt_regs* regs, std::uint64_t esr, Pa pa);
  void host_may(PaRange range, Prot prot) override;

 private:
  struct Place {
    pkvm_iommu* device;
    bool from_request;  ///< in the page that this call brought
  };

  int add_locked(const Registration& request);
  Status check_driver(const pkvm_iommu_driver* driver) const;
  Status check_new(const Registration& request);
  Expected<Place> take_memory(const Registration& request);
  void give_memory_back(const Registration& request, const Place& place);
  static Status accept(const Registration& request, pkvm_iommu* device);
  void insert(pkvm_iommu* device);
  pkvm_iommu* find(std::uint64_t id);
  pkvm_iommu* at(Pa pa);
  void tell_taken(pkvm_iommu_driver* driver);

  list_head drivers_{};
  list_head devices_{};
  HypVa free_{0};  ///< rest of the last page that the host gave
  HypVa free_end_{0};
  bool finalized_ = false;
  fw::Spinlock lock_;  ///< of registration; lists change under the host's lock besides
};

}  // namespace pkvmemu::hyp
