// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/iommu_devices.h"

#include "hyp/hypervisor.h"
#include "lib/address_cast.h"
#include "lib/memory.h"
#include "pkvm/quirk.h"
#include "support/bits.h"

namespace pkvmemu::hyp {

namespace {

// The kernel's lists, circular with a head; ours are empty until first used.
list_head& ready(list_head& head) {
  if (head.next == nullptr) head = {.next = &head, .prev = &head};
  return head;
}

void append(list_head& to, list_head& node) {
  list_head& head = ready(to);
  node = {.next = &head, .prev = head.prev};
  head.prev->next = &node;
  head.prev = &node;
}

template <typename Item>
Item* item_of(list_head* node, std::size_t offset) {
  return fw::object_at<Item>(HypVa{reinterpret_cast<std::uint64_t>(node) - offset});
}

/// The items of a list whose nodes lie at `offset`, until one is found.
template <typename Item, typename Found>
Item* find_in(list_head& list, std::size_t offset, Found found) {
  list_head& head = ready(list);
  for (list_head* node = head.next; node != &head; node = node->next) {
    auto* const item = item_of<Item>(node, offset);
    if (found(*item)) return item;
  }
  return nullptr;
}

template <typename Found>
pkvm_iommu* find_device(list_head& devices, Found found) {
  return find_in<pkvm_iommu>(devices, offsetof(pkvm_iommu, list), found);
}

PaRange registers_of(const pkvm_iommu& device) {
  return {Pa{device.pa}, Pa{device.pa + device.size}};
}

constexpr std::uint64_t size_of_device(const pkvm_iommu_ops& ops) {
  return align_up(pkvm_iommu_data + ops.data_size, alignof(pkvm_iommu));
}

std::uint32_t state_of(IommuDevices::DriverState state) {
  return static_cast<std::uint32_t>(state);
}

constexpr Prot mmio_alias = prot_device;

std::uint64_t pages_in(PaRange range) {
  return range.size() / page_size;
}

/// For a driver that has just come: what is not the host's, as if it were taken now.
class TakenTeller final : public HostMirror {
 public:
  explicit TakenTeller(const pkvm_iommu_ops& ops) : ops_(ops) {}
  void host_may(PaRange range, Prot /*prot*/) override {
    ops_.host_stage2_idmap_prepare(range.begin.value, range.end.value, KVM_PGTABLE_PROT_NONE);
  }

 private:
  const pkvm_iommu_ops& ops_;
};

int run_init(const pkvm_iommu_ops& ops, const IommuDevices::DriverData& data) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.iommu.device_driver_init", Errno::enodev,
                                               "the init of a driver of IOMMU devices (6.1)"))
    return fault.answer;
  return ops.init == nullptr ? 0 : ops.init(fw::object_at<void>(data.at), data.size);
}

/// The defect of a device that is registered twice: told, whether reproduced or not.
bool keeps_lock() {
  constexpr auto quirk = pkvm::Quirk::second_iommu_keeps_lock;
  Hypervisor& hyp = hypervisor();
  if (!pkvm::has_quirk(hyp.generation, quirk)) return false;
  const bool reproduced = hyp_boot_info.as_shipped != 0;
  hyp.events.emit(pkvm::event::Kind::quirk, {reproduced ? 1ULL : 0ULL},
                  pkvm::quirk_row(quirk).name);
  return reproduced;
}

}  // namespace

void IommuDevices::tell_taken(pkvm_iommu_driver* driver) {
  const fw::LockGuard guard(hypervisor().host->lock());
  append(drivers_, driver->list);
  TakenTeller teller(*driver->ops);
  if (driver->ops->host_stage2_idmap_prepare != nullptr) hypervisor().host->replay_taken(teller);
}

int IommuDevices::init_driver(pkvm_iommu_driver* driver, const DriverData& data) {
  const fw::LockGuard guard(lock_);
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.iommu.driver", Errno::ebusy, "__pkvm_iommu_driver_init"))
    return fault.answer;
  if (finalized_) return pkvm::negated(Errno::eperm);
  if (driver == nullptr || driver->ops == nullptr) return pkvm::negated(Errno::einval);
  if (driver->state != state_of(DriverState::unused)) return pkvm::negated(Errno::ebusy);
  Ownership& ownership = *hypervisor().ownership;
  const HypVa end = data.at + data.size;
  const bool pins = data.size != 0;
  if (pins) {
    const Status pinned = ownership.pin_shared(data.at, end);
    if (!pinned) return to_int(pinned);
  }
  driver->state = state_of(DriverState::initialising);
  const int result = run_init(*driver->ops, data);
  if (pins) ownership.unpin_shared(data.at, end);
  driver->state = state_of(result == 0 ? DriverState::ready : DriverState::unused);
  if (result == 0) tell_taken(driver);
  return result;
}

pkvm_iommu* IommuDevices::find(std::uint64_t id) {
  return find_device(devices_, [id](const pkvm_iommu& device) { return device.id == id; });
}

pkvm_iommu* IommuDevices::at(Pa pa) {
  return find_device(devices_, [pa](const pkvm_iommu& device) {
    return registers_of(device).contains({pa, pa + 1});
  });
}

Status IommuDevices::check_driver(const pkvm_iommu_driver* driver) const {
  if (finalized_) return error(Errno::eperm);
  if (driver == nullptr || driver->state != state_of(DriverState::ready))
    return error(Errno::enoent);
  return {};
}

Status IommuDevices::check_new(const Registration& request) {
  const PaRange own = request.registers;
  const bool pages = is_aligned(own.begin.value, page_size) && is_aligned(own.end.value, page_size);
  if (!pages || own.end <= own.begin) return error(Errno::einval);
  if (!hypervisor().host->memory().is_mmio(own)) return error(Errno::einval);
  if (pkvm_iommu_data + request.driver->ops->data_size > page_size) return error(Errno::einval);
  const auto clashes = [&](const pkvm_iommu& other) {
    const PaRange theirs = registers_of(other);
    return other.id == request.id || (own.begin < theirs.end && theirs.begin < own.end);
  };
  if (find_device(devices_, clashes) != nullptr) return error(Errno::eexist);
  if (request.parent != 0 && find(request.parent) == nullptr) return error(Errno::enoent);
  return {};
}

/// Devices stay for ever, so that memory for them is cut off the last page, one behind the other.
Expected<IommuDevices::Place> IommuDevices::take_memory(const Registration& request) {
  const std::uint64_t size = size_of_device(*request.driver->ops);
  const bool from_request = free_end_.value - free_.value < size;
  if (from_request) {
    if (request.page.value == 0) return error(Errno::enomem);
    Hypervisor& hyp = hypervisor();
    const Pa page = hyp.linear.hyp_pa(request.page);
    const Status donated =
        hyp.ownership->host_donate_hyp(pfn_of(page).value, 1, Accept::memory_only, prot_rw);
    if (!donated) return error(donated.error());
    free_ = hyp.linear.hyp_va(page);
    free_end_ = free_ + page_size;
  }
  fw::fill_bytes(fw::object_at<void>(free_), 0, size);
  const Place place{.device = fw::object_at<pkvm_iommu>(free_), .from_request = from_request};
  free_ = free_ + size;
  return place;
}

/// Of a registration that failed: the room is free again, and a page that came with it goes back.
void IommuDevices::give_memory_back(const Registration& request, const Place& place) {
  free_ = HypVa{reinterpret_cast<std::uint64_t>(place.device)};
  if (!place.from_request) return;
  Hypervisor& hyp = hypervisor();
  free_ = free_end_ = HypVa{0};
  const Pa page = hyp.linear.hyp_pa(request.page);
  fw::fill_bytes(fw::object_at<void>(hyp.linear.hyp_va(page)), 0, page_size);
  check(hyp.ownership->hyp_donate_host(pfn_of(page).value, 1).has_value());
}

/// The driver, then the parent's, may refuse the device; then its registers are taken.
Status IommuDevices::accept(const Registration& request, pkvm_iommu* device) {
  const auto verdict = [](int answer) -> Status {
    if (answer == 0) return {};
    return error(static_cast<Errno>(-answer));
  };
  const pkvm_iommu_ops& ops = *device->ops;
  if (ops.validate != nullptr)
    if (const Status good = verdict(ops.validate(device)); !good) return good;
  pkvm_iommu* const parent = device->parent;
  if (parent != nullptr && parent->ops->validate_child != nullptr)
    if (const Status good = verdict(parent->ops->validate_child(parent, device)); !good)
      return good;
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.iommu.registers", Errno::enomem,
                                               "the registers of an IOMMU are mapped at EL2"))
    return injected(fault);
  const PaRange own = request.registers;
  const Status taken = hypervisor().ownership->host_donate_hyp(
      pfn_of(own.begin).value, pages_in(own), Accept::memory_or_mmio, mmio_alias);
  if (!taken) return taken;
  device->va = fw::object_at<void>(hypervisor().linear.hyp_va(own.begin));
  return {};
}

void IommuDevices::insert(pkvm_iommu* device) {
  const fw::LockGuard guard(hypervisor().host->lock());
  append(devices_, device->list);
  (void)ready(device->children);
  (void)ready(device->siblings);
  if (device->parent != nullptr) append(device->parent->children, device->siblings);
}

int IommuDevices::add(const Registration& request) {
  const int result = add_locked(request);
  if (result == pkvm::negated(Errno::eexist) && keeps_lock()) lock_.lock();
  return result;
}

int IommuDevices::add_locked(const Registration& request) {
  const fw::LockGuard guard(lock_);
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.iommu.register", Errno::eexist, "__pkvm_iommu_register"))
    return fault.answer;
  if (const Status good = check_driver(request.driver); !good) return to_int(good);
  if (const Status good = check_new(request); !good) return to_int(good);
  const Expected<Place> place = take_memory(request);
  if (!place) return pkvm::negated(place.error());
  pkvm_iommu* const device = place->device;
  device->parent = request.parent == 0 ? nullptr : find(request.parent);
  device->id = request.id;
  device->ops = request.driver->ops;
  device->pa = request.registers.begin.value;
  device->size = request.registers.size();
  device->flags = request.flags;
  if (const Status accepted = accept(request, device); !accepted) {
    give_memory_back(request, *place);
    return to_int(accepted);
  }
  insert(device);
  return 0;
}

int IommuDevices::notify(std::uint64_t id, std::uint64_t event) {
  const fw::LockGuard guard(lock_);
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.iommu.pm_notify", Errno::einval, "__pkvm_iommu_pm_notify"))
    return fault.answer;
  pkvm_iommu* const device = find(id);
  if (device == nullptr) return pkvm::negated(Errno::enoent);
  if (event > static_cast<std::uint64_t>(PowerEvent::resume)) return pkvm::negated(Errno::einval);
  const bool power = event == static_cast<std::uint64_t>(PowerEvent::resume);
  const bool parent_is_off = device->parent != nullptr && !device->parent->powered;
  if (device->powered == power || (power && parent_is_off)) return pkvm::negated(Errno::einval);
  auto* const tell = power ? device->ops->resume : device->ops->suspend;
  const int result = tell == nullptr ? 0 : tell(device);
  if (result == 0) device->powered = power;
  return result;
}

int IommuDevices::finalize() {
  const fw::LockGuard guard(lock_);
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.iommu.finalize", Errno::eperm, "__pkvm_iommu_finalize"))
    return fault.answer;
  if (finalized_) return pkvm::negated(Errno::eperm);
  finalized_ = true;
  return 0;
}

bool IommuDevices::takes_abort(user_pt_regs* regs, std::uint64_t esr, Pa pa) {
  const fw::LockGuard guard(hypervisor().host->lock());
  pkvm_iommu* const device = at(pa);
  if (device == nullptr || device->ops->host_dabt_handler == nullptr) return false;
  // A kvm_cpu_context begins with the registers (pkvm-abi.md 1.1).
  return device->ops->host_dabt_handler(device, reinterpret_cast<kvm_cpu_context*>(regs),
                                        static_cast<u32>(esr), pa.value - device->pa);
}

/// Under the host's lock: drivers change their tables, then devices that have power take them over.
void IommuDevices::host_may(PaRange range, Prot prot) {
  (void)find_in<pkvm_iommu_driver>(
      drivers_, offsetof(pkvm_iommu_driver, list), [&](pkvm_iommu_driver& driver) {
        if (driver.ops->host_stage2_idmap_prepare != nullptr)
          driver.ops->host_stage2_idmap_prepare(range.begin.value, range.end.value,
                                                static_cast<kvm_pgtable_prot>(prot.value));
        return false;
      });
  (void)find_device(devices_, [&](pkvm_iommu& device) {
    if (device.powered && device.ops->host_stage2_idmap_apply != nullptr)
      device.ops->host_stage2_idmap_apply(&device, range.begin.value, range.end.value);
    return false;
  });
  (void)find_device(devices_, [&](pkvm_iommu& device) {
    if (device.powered && device.ops->host_stage2_idmap_complete != nullptr)
      device.ops->host_stage2_idmap_complete(&device);
    return false;
  });
}

}  // namespace pkvmemu::hyp
