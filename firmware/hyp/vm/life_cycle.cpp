// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/vm/life_cycle.h"

#include <new>

#include "hyp/hypervisor.h"
#include "hyp/vm/guest_ffa.h"
#include "hyp/vm/guest_memory.h"
#include "hyp/vm/vm_rules.h"
#include "lib/fault.h"
#include "lib/memory.h"
#include "support/bits.h"

namespace pkvmemu::hyp {

namespace {

/// Shared memory of the host's that stays as it is while it is used.
template <typename Type>
Expected<Type*> pin(HypVa at) {
  if (!is_aligned(at.value, alignof(Type))) return error(Errno::einval);
  const Status pinned = hypervisor().ownership->pin_shared(at, at + sizeof(Type));
  if (!pinned) return error(pinned.error());
  return fw::object_at<Type>(at);
}
template <typename Type>
void unpin(Type* shared) {
  const HypVa at{reinterpret_cast<std::uint64_t>(shared)};
  hypervisor().ownership->unpin_shared(at, at + sizeof(Type));
}

PaRange pages_at(HypVa at, std::uint64_t size) {
  const Pa begin = hypervisor().linear.hyp_pa(at);
  return {begin, begin + size};
}

Status donate(PaRange range) {
  if (!is_aligned(range.begin.value, page_size)) return error(Errno::einval);
  const Status done = hypervisor().ownership->host_donate_hyp(
      pfn_of(range.begin).value, range.size() / page_size, Accept::memory_only, prot_rw);
  if (done) fw::fill_bytes(hypervisor().linear.pointer<void>(range.begin), 0, range.size());
  return done;
}

/// Back to the host with nothing in it.
void undonate(PaRange range) {
  if (range.size() == 0) return;
  void* const memory = hypervisor().linear.pointer<void>(range.begin);
  fw::fill_bytes(memory, 0, range.size());
  arch::flush_dcache(memory, range.size());
  check(hypervisor()
            .ownership->hyp_donate_host(pfn_of(range.begin).value, range.size() / page_size)
            .has_value());
}

/// The same by way of the host's memcache, which is how the host learns of it.
void return_range(PaRange range, pkvm::Memcache& to) {
  Hypervisor& hyp = hypervisor();
  for (Pa page = range.begin; page < range.end; page = page + page_size)
    return_page(page, to, *hyp.ownership, hyp.linear);
}

constexpr PaRange nothing{Pa{0}, Pa{0}};

void free_object(const void* object) {
  hypervisor().heap->free(HypVa{reinterpret_cast<std::uint64_t>(object)});
}

Expected<Storage> take_storage(HypVa donated, std::uint64_t size) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO(
          "hyp.vm.storage", Errno::enomem, "memory for the hypervisor's own view of a VM or vCPU"))
    return injected(fault);
  if (!vm_rules(hypervisor().generation).host_donates_storage) {
    const Expected<HypVa> memory = hypervisor().heap->allocate(size);
    if (!memory) return error(memory.error());
    return Storage{fw::object_at<void>(*memory), nothing};
  }
  const PaRange range = pages_at(donated, size);
  if (!donate(range)) return error(Errno::enomem);
  return Storage{hypervisor().linear.pointer<void>(range.begin), range};
}

void give_storage(const Storage& storage) {
  if (storage.donated.size() == 0)
    free_object(storage.memory);
  else
    undonate(storage.donated);
}

Expected<Vcpu*> find_loaded_or_idle(std::uint64_t handle, std::uint64_t index) {
  Vm* vm = hypervisor().vms.find(handle);
  if (vm == nullptr || vm->is_dying || index >= vm->vcpus.size()) return error(Errno::enoent);
  Vcpu* vcpu = vm->vcpus[index];
  if (vcpu == nullptr || vcpu->loaded_on != max_cpus) return error(Errno::enoent);
  return vcpu;
}

/// Memory of an unfinished VM, given back in the reverse order.
struct VmParts {
  pkvm::HostVm* host = nullptr;
  pkvm::HostVm wishes{};  ///< what it said when it was checked
  Storage storage{nullptr, nothing};
  PaRange root = nothing;
  PaRange last_ran = nothing;

  void undo() const {
    undonate(last_ran);
    undonate(root);
    if (storage.memory != nullptr) give_storage(storage);
    if (host != nullptr) unpin(host);
  }
};

Status take_parts(const VmRequest& request, VmParts& parts) {
  const VmRules& rules = vm_rules(hypervisor().generation);
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.vm.pin", Errno::eperm, "the host's structure of a VM is pinned"))
    return injected(fault);
  const Expected<pkvm::HostVm*> host = pin<pkvm::HostVm>(request.host_vm);
  if (!host) return error(Errno::eperm);
  parts.host = *host;
  parts.wishes = **host;
  const std::uint64_t vcpus = parts.wishes.created_vcpus;
  if (vcpus < 1 || vcpus > pkvm::max_vcpus) return error(Errno::einval);

  static_assert(sizeof(Vm) <= pkvm::hyp_vm_size && sizeof(Vcpu) <= pkvm::hyp_vcpu_size);
  const Expected<Storage> storage = take_storage(request.storage, pkvm::hyp_vm_size);
  if (!storage) return error(storage.error());
  parts.storage = *storage;
  if (rules.host_donates_storage) {
    const PaRange last_ran = pages_at(request.last_ran, pkvm::last_ran_size);
    if (const fw::Fault fault = PKVM_FAULT_ERRNO(
            "hyp.vm.last_ran", Errno::enomem, "the host gives the table of last-run vCPUs of a VM"))
      return injected(fault);
    if (!donate(last_ran)) return error(Errno::enomem);
    parts.last_ran = last_ran;
  }
  const PaRange root = pages_at(request.root, pkvm::guest_root_size);
  const bool aligned = is_aligned(root.begin.value, pkvm::guest_root_size);
  const bool refused =
      PKVM_FAULT_NOTHING("hyp.vm.root", "the host gives the root of a VM's stage 2");
  if (!aligned || refused || !donate(root)) return error(rules.root_refused);
  parts.root = root;
  return {};
}

}  // namespace

Expected<std::uint32_t> init_vm(const VmRequest& request) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.vm.init", Errno::enomem, "__pkvm_init_vm"))
    return injected(fault);
  Hypervisor& hyp = hypervisor();
  VmParts parts;
  const Status taken = take_parts(request, parts);
  if (!taken) {
    parts.undo();
    return error(taken.error());
  }
  Vm* const vm =
      new (parts.storage.memory) Vm(hyp.linear, *parts.host, parts.wishes, parts.root.begin);
  vm->storage = parts.storage.donated;
  vm->last_ran = parts.last_ran;
  const Status inserted = hyp.vms.insert(*vm);
  if (!inserted) {
    parts.undo();
    return error(inserted.error());
  }
  return vm->handle;
}

Status init_vcpu(const VcpuRequest& request) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.vm.init_vcpu", Errno::enomem, "__pkvm_init_vcpu"))
    return injected(fault);
  Hypervisor& hyp = hypervisor();
  const VmRules& rules = vm_rules(hyp.generation);
  const Expected<Storage> storage = take_storage(request.storage, pkvm::hyp_vcpu_size);
  if (!storage) return error(storage.error());
  const auto refuse = [&](Errno why) {
    give_storage(*storage);
    return error(why);
  };
  Vm* vm = hyp.vms.find(request.handle);
  if (vm == nullptr) return refuse(Errno::enoent);
  if (vm->vcpu_count >= vm->created_vcpus) return refuse(Errno::einval);
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.vm.pin_vcpu", Errno::ebusy,
                                               "the host's structure of a vCPU is pinned"))
    return refuse(injected(fault).error());
  const Expected<pkvm::HostVcpu*> host = pin<pkvm::HostVcpu>(request.host_vcpu);
  if (!host) return refuse(Errno::ebusy);
  const auto refuse_pinned = [&](Errno why) {
    unpin(*host);
    return refuse(why);
  };
  const std::uint64_t index = (*host)->index;
  const bool next = index == vm->vcpu_count;
  const bool free = index < vm->created_vcpus && vm->vcpus[index] == nullptr;
  if (!(rules.vcpus_in_order ? next : free)) return refuse_pinned(Errno::einval);
  const pkvm::VcpuPower power = (*host)->power;
  if (power != pkvm::VcpuPower::runnable && power != pkvm::VcpuPower::stopped)
    return refuse_pinned(Errno::einval);
  const bool enters_firmware =
      vm->is_protected && vm->has_firmware() && power == pkvm::VcpuPower::runnable;
  if (enters_firmware && vm->has_entry_vcpu) return refuse_pinned(Errno::einval);

  Vcpu* const vcpu = new (storage->memory) Vcpu(*vm, static_cast<unsigned>(index), **host);
  vcpu->storage = storage->donated;
  vcpu->power = power;
  vm->has_entry_vcpu = vm->has_entry_vcpu || enters_firmware;
  vm->vcpus[index] = vcpu;
  ++vm->vcpu_count;
  return {};
}

Status start_teardown_vm(std::uint64_t handle) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.vm.teardown", Errno::ebusy, "__pkvm_start_teardown_vm"))
    return injected(fault);
  Vm* vm = hypervisor().vms.find(handle);
  if (vm == nullptr) return error(Errno::enoent);
  // A vCPU that is still loaded is a WARN in the kernel, so fatal (9.3).
  for (const Vcpu* vcpu : vm->vcpus)
    check(vcpu == nullptr || vcpu->loaded_on == max_cpus);
  if (vm->is_dying) return error(Errno::einval);
  vm->is_dying = true;
  return {};
}

Status reclaim_dying_guest_page(std::uint64_t handle, std::uint64_t pfn, std::uint64_t gfn,
                                std::uint64_t order) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.vm.reclaim", Errno::ebusy, "__pkvm_reclaim_dying_guest_page"))
    return injected(fault);
  Vm* vm = hypervisor().vms.find(handle);
  if (vm == nullptr || !vm->is_dying) return error(Errno::einval);
  // Guests are mapped page by page here.
  if (order != 0) return error(Errno::e2big);
  return reclaim_guest_page(*vm, pfn, gfn);
}

Status finalize_teardown_vm(std::uint64_t handle) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.vm.finalize_teardown", Errno::ebusy, "__pkvm_finalize_teardown_vm"))
    return injected(fault);
  Hypervisor& hyp = hypervisor();
  Vm* vm = hyp.vms.find(handle);
  if (vm == nullptr) return error(Errno::enoent);
  if (!vm->is_dying || vm->guest_pages != 0) return error(Errno::ebusy);

  forget_guest_ffa(vm->ffa);
  hyp.vms.remove(*vm);
  pkvm::HostVm* const host = vm->host;
  for (Vcpu* vcpu : vm->vcpus) {
    if (vcpu == nullptr) continue;
    unpin(vcpu->host);
    const PaRange storage = vcpu->storage;
    if (storage.size() == 0)
      free_object(vcpu);
    else
      return_range(storage, host->teardown);
  }
  check(vm->stage2.set_invalid({0, bit(pkvm::guest_ipa_bits)}, {}).has_value());
  vm->pool.return_all(host->teardown, *hyp.ownership);
  const PaRange root = vm->root;
  const PaRange last_ran = vm->last_ran;
  const PaRange storage = vm->storage;
  return_range(root, host->teardown);
  return_range(last_ran, host->teardown);
  if (storage.size() == 0)
    free_object(vm);
  else
    return_range(storage, host->teardown);
  unpin(host);
  return {};
}

void load_vcpu(std::uint64_t handle, std::uint64_t index, std::uint64_t host_hcr) {
  const unsigned cpu = this_cpu().index;
  if (hypervisor().vms.loaded(cpu) != nullptr) return;
  if (PKVM_FAULT_NOTHING("hyp.vm.load_vcpu", "__pkvm_vcpu_load")) return;
  const Expected<Vcpu*> vcpu = find_loaded_or_idle(handle, index);
  if (!vcpu) return;
  (*vcpu)->loaded_on = cpu;
  (*vcpu)->host_hcr = host_hcr;
  hypervisor().vms.loaded(cpu) = *vcpu;
}

void put_vcpu() {
  Vcpu*& loaded = hypervisor().vms.loaded(this_cpu().index);
  if (loaded == nullptr) return;
  loaded->loaded_on = max_cpus;
  loaded = nullptr;
}

Vcpu* loaded_vcpu() {
  return hypervisor().vms.loaded(this_cpu().index);
}

}  // namespace pkvmemu::hyp
