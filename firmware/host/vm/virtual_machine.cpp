// SPDX-License-Identifier: GPL-2.0-only
#include "host/vm/virtual_machine.h"

#include "host/finalize.h"
#include "host/kvm.h"
#include "host/memory.h"
#include "lib/fault.h"
#include "lib/memory.h"
#include "pkvm/errno.h"
#include "support/bits.h"

namespace pkvmemu::host {

namespace {

using pkvm::Errno;
using pkvm::Generation;
using pkvm::Hypercall;
using pkvm::negated;

enum class ExceptionClass : std::uint8_t {
  wfx = 0x01,
  hvc64 = 0x16,
  smc64 = 0x17,
  instruction_abort = 0x20,
  data_abort = 0x24,
};
ExceptionClass class_of(std::uint64_t esr) {
  return static_cast<ExceptionClass>(bits(esr, 31, 26));
}

// ISS of a data abort (Arm ARM D17.2.37).
constexpr unsigned iss_isv = 24;
constexpr unsigned iss_wnr = 6;
constexpr unsigned zero_register = 31;
unsigned transfer_register(std::uint64_t esr) {
  return static_cast<unsigned>(bits(esr, 20, 16));
}
std::uint64_t transfer_mask(std::uint64_t esr) {
  return low_mask(8U << bits(esr, 23, 22));
}

std::uint64_t address(const void* pointer) {
  return reinterpret_cast<std::uint64_t>(pointer);
}

/// How a generation's kernel gives its guests memory and takes it back (5.2 to 5.4).
struct VmCalls {
  bool donates_storage;  ///< init_vm and init_vcpu come with memory for the hypervisor's own view
  int (*map)(const VirtualMachine& vm, std::uint64_t pfn, std::uint64_t gfn);
  bool reclaims_by_ipa;
  bool forwards_smc;  ///< a VM may have its SMCs offered to modules (8.4)
  bool has_ffa;       ///< its guest may speak FF-A (6.5)
};

constexpr std::uint64_t prot_rwx = 7;

int map_one_page(const VirtualMachine& /*vm*/, std::uint64_t pfn, std::uint64_t gfn) {
  return static_cast<int>(kvm().call(Hypercall::pkvm_host_map_guest, {pfn, gfn}));
}
int map_range(const VirtualMachine& /*vm*/, std::uint64_t pfn, std::uint64_t gfn) {
  return static_cast<int>(kvm().call(Hypercall::pkvm_host_map_guest, {pfn, gfn, 1, prot_rwx}));
}
int map_by_kind(const VirtualMachine& vm, std::uint64_t pfn, std::uint64_t gfn) {
  return static_cast<int>(
      vm.is_protected() ? kvm().call(Hypercall::pkvm_host_donate_guest, {pfn, gfn, 1})
                        : kvm().call(Hypercall::pkvm_host_share_guest, {pfn, gfn, prot_rwx, 1}));
}

constexpr std::array<VmCalls, pkvm::generation_count> call_rows = {{
    {.donates_storage = true,
     .map = map_one_page,
     .reclaims_by_ipa = true,
     .forwards_smc = false,
     .has_ffa = false},
    {.donates_storage = false,
     .map = map_range,
     .reclaims_by_ipa = false,
     .forwards_smc = false,
     .has_ffa = false},
    {.donates_storage = false,
     .map = map_by_kind,
     .reclaims_by_ipa = false,
     .forwards_smc = true,
     .has_ffa = true},
}};
const VmCalls& calls_of(Generation id) {
  return call_rows[static_cast<std::size_t>(id)];
}

int to_int(std::int64_t answer) {
  return static_cast<int>(answer);
}

}  // namespace

int VirtualMachine::create(Generation generation, std::uint64_t type) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("vm.create", Errno::enomem, "KVM_CREATE_VM"))
    return fault.answer;
  if ((type & ~pkvm::vm_type_protected) != 0) return negated(Errno::einval);
  if (kvm().phase() == KvmPhase::off) return negated(Errno::einval);
  static_assert(sizeof(pkvm::HostVm) + (pkvm::max_vcpus * sizeof(pkvm::HostVcpu)) <= page_size);
  const auto page = take_zeroed_pages(1);
  if (!page) return negated(Errno::enomem);
  const fw::Fault refused = PKVM_FAULT_ERRNO(
      "vm.hvc.share", Errno::eperm, "hypercall __pkvm_host_share_hyp for a VM's structure");
  const int shared =
      refused ? refused.answer
              : to_int(kvm().call(Hypercall::pkvm_host_share_hyp, {pfn_of(*page).value}));
  if (shared != 0) {
    free_pages(*page, 1);
    return shared;
  }
  generation_ = generation;
  page_ = *page;
  shared_ = linear_pointer<pkvm::HostVm>(*page);
  auto* const vcpus = linear_pointer<pkvm::HostVcpu>(*page + sizeof(pkvm::HostVm));
  for (unsigned i = 0; i < pkvm::max_vcpus; ++i)
    vcpus_[i] = vcpus + i;
  shared_->is_protected = (type & pkvm::vm_type_protected) != 0 ? 1 : 0;
  shared_->pvmfw_load_address = pkvm::no_pvmfw_address;
  shared_->smc_forwarded = is_protected() && calls_of(generation).forwards_smc ? 1 : 0;
  return 0;
}

int VirtualMachine::firmware_info(std::uint64_t& size) const {
  if (!is_protected()) return negated(Errno::einval);
  size = known_firmware().size;
  return 0;
}

int VirtualMachine::set_firmware_ipa(std::uint64_t ipa) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("vm.set_firmware", Errno::einval,
                                               "KVM_CAP_ARM_PROTECTED_VM: SET_FW_IPA"))
    return fault.answer;
  if (!is_protected()) return negated(Errno::einval);
  if (handle_ != 0) return negated(Errno::ebusy);
  if (known_firmware().empty()) return negated(Errno::einval);
  shared_->pvmfw_load_address = ipa;
  return 0;
}

int VirtualMachine::allow_ffa() {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("vm.set_ffa", Errno::einval, "KVM_CAP_ARM_PROTECTED_VM: SET_FFA"))
    return fault.answer;
  if (!is_protected() || !calls_of(generation_).has_ffa) return negated(Errno::einval);
  if (kvm().call(Hypercall::pkvm_host_get_ffa_version, {}) == 0) return negated(Errno::einval);
  if (handle_ != 0) return negated(Errno::ebusy);
  shared_->ffa_allowed = 1;
  return 0;
}

int VirtualMachine::add_memory(std::uint64_t ipa, std::uint64_t size, GuestMemory from) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("vm.add_memory", Errno::enomem, "KVM_SET_USER_MEMORY_REGION"))
    return fault.answer;
  const std::uint64_t pages = size >> page_shift;
  if (!is_aligned(ipa | size, page_size) || pages > max_slot_pages || slot_count_ == max_slots)
    return negated(Errno::einval);
  const auto memory = from == GuestMemory::any ? take_pages(pages) : take_high_pages(pages, 1);
  if (!memory) return negated(Errno::enomem);
  Slot& slot = slots_[slot_count_++];
  slot.ipa = ipa;
  slot.pages = pages;
  slot.memory = *memory;
  return 0;
}

int VirtualMachine::create_vcpu(pkvm::VcpuPower power) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("vm.create_vcpu", Errno::enomem, "KVM_CREATE_VCPU"))
    return fault.answer;
  const std::uint64_t index = shared_->created_vcpus;
  if (index == pkvm::max_vcpus) return negated(Errno::einval);
  vcpus_[index]->index = index;
  vcpus_[index]->power = power;
  ++shared_->created_vcpus;
  return 0;
}

VirtualMachine::Slot* VirtualMachine::slot_of(std::uint64_t ipa) {
  for (unsigned i = 0; i < slot_count_; ++i) {
    Slot& slot = slots_[i];
    if (ipa >= slot.ipa && (ipa - slot.ipa) >> page_shift < slot.pages) return &slot;
  }
  return nullptr;
}

/// Before anybody sees a page it is zeroed, and only then: most pages are never seen.
void VirtualMachine::prepare(Slot& slot, std::uint64_t page) {
  if (slot.zeroed.test(page)) return;
  slot.zeroed.set(page);
  fw::fill_bytes(linear_pointer<void>(slot.memory + (page << page_shift)), 0, page_size);
}

std::optional<Pa> VirtualMachine::backing(std::uint64_t ipa, std::uint64_t size) {
  Slot* const slot = slot_of(ipa);
  if (slot == nullptr) return std::nullopt;
  const std::uint64_t offset = ipa - slot->ipa;
  if (size > (slot->pages << page_shift) - offset) return std::nullopt;
  for (std::uint64_t page = offset >> page_shift; page << page_shift < offset + size; ++page)
    prepare(*slot, page);
  return slot->memory + offset;
}

void VirtualMachine::forget_page(std::uint64_t ipa) {
  Slot* const slot = slot_of(ipa);
  if (slot != nullptr) slot->given.reset((ipa - slot->ipa) >> page_shift);
}

int VirtualMachine::init_vm() {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("vm.hvc.init_vm", Errno::enomem, "hypercall __pkvm_init_vm"))
    return fault.answer;
  const auto root =
      take_pages(pkvm::guest_root_size >> page_shift, pkvm::guest_root_size >> page_shift);
  if (!root) return negated(Errno::enomem);
  const std::uint64_t host_vm = address(shared_);
  std::int64_t answer = 0;
  if (calls_of(generation_).donates_storage) {
    const auto storage = take_pages(pkvm::hyp_vm_size >> page_shift);
    const auto last_ran = take_pages(pkvm::last_ran_size >> page_shift);
    if (!storage || !last_ran) {
      if (storage) free_pages(*storage, pkvm::hyp_vm_size >> page_shift);
      if (last_ran) free_pages(*last_ran, pkvm::last_ran_size >> page_shift);
      free_pages(*root, pkvm::guest_root_size >> page_shift);
      return negated(Errno::enomem);
    }
    answer = kvm().call(Hypercall::pkvm_init_vm,
                        {host_vm, linear_va(*storage), linear_va(*root), linear_va(*last_ran)});
    if (answer < 0) {
      free_pages(*storage, pkvm::hyp_vm_size >> page_shift);
      free_pages(*last_ran, pkvm::last_ran_size >> page_shift);
    }
  } else {
    answer = kvm().call_with_refills(Hypercall::pkvm_init_vm, {host_vm, linear_va(*root)});
  }
  if (answer < 0) {
    free_pages(*root, pkvm::guest_root_size >> page_shift);
    return to_int(answer);
  }
  handle_ = static_cast<std::uint64_t>(answer);
  shared_->handle = handle_;
  return 0;
}

int VirtualMachine::init_vcpu(unsigned index) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("vm.hvc.init_vcpu", Errno::enomem, "hypercall __pkvm_init_vcpu"))
    return fault.answer;
  const std::uint64_t host_vcpu = address(vcpus_[index]);
  if (!calls_of(generation_).donates_storage)
    return to_int(kvm().call_with_refills(Hypercall::pkvm_init_vcpu, {handle_, host_vcpu}));
  const auto storage = take_pages(pkvm::hyp_vcpu_size >> page_shift);
  if (!storage) return negated(Errno::enomem);
  const int answer =
      to_int(kvm().call(Hypercall::pkvm_init_vcpu, {handle_, host_vcpu, linear_va(*storage)}));
  if (answer != 0) free_pages(*storage, pkvm::hyp_vcpu_size >> page_shift);
  return answer;
}

/// pkvm-abi.md 9.2: the hypervisor learns of a VM when it is first run.
int VirtualMachine::start() {
  if (handle_ == 0)
    if (const int made = init_vm(); made != 0) return made;
  for (; started_vcpus_ < vcpu_count(); ++started_vcpus_)
    if (const int made = init_vcpu(started_vcpus_); made != 0) return made;
  return 0;
}

bool VirtualMachine::top_up(pkvm::Memcache& cache) {
  if (PKVM_FAULT_NOTHING("vm.top_up", "pages for a vCPU's memcache")) return false;
  constexpr std::uint64_t tables_for_a_page = 2;
  while (cache.pages < tables_for_a_page) {
    const auto page = take_pages(1);
    if (!page) return false;
    *linear_pointer<std::uint64_t>(*page) = cache.head;
    cache.head = page->value;
    ++cache.pages;
  }
  return true;
}

int VirtualMachine::map_page(Pa page, std::uint64_t ipa) const {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("vm.hvc.map", Errno::enomem,
                                               "the hypercall that gives a page to a guest"))
    return fault.answer;
  return calls_of(generation_).map(*this, pfn_of(page).value, ipa >> page_shift);
}

int VirtualMachine::give_page(unsigned vcpu, std::uint64_t ipa) {
  Slot* const slot = slot_of(ipa);
  if (slot == nullptr) return negated(Errno::efault);
  const std::uint64_t index = (ipa - slot->ipa) >> page_shift;
  if (slot->given.test(index)) return negated(Errno::efault);
  if (!top_up(vcpus_[vcpu]->memory)) return negated(Errno::enomem);
  prepare(*slot, index);
  const int mapped = map_page(slot->memory + (index << page_shift), align_down(ipa, page_size));
  if (mapped != 0) return mapped;
  slot->given.set(index);
  ++pages_given_;
  return 0;
}

RunResult VirtualMachine::run(unsigned index) {
  if (const int started = start(); started != 0) return {.why = RunExit::failed, .error = started};
  for (;;) {
    kvm().call(Hypercall::pkvm_vcpu_load, {handle_, index, pkvm::hcr_trap_waits});
    const fw::Fault fault =
        PKVM_FAULT_ERRNO("vm.hvc.vcpu_run", Errno::einval, "hypercall __kvm_vcpu_run");
    const std::int64_t exit =
        fault ? fault.answer : kvm().call(Hypercall::kvm_vcpu_run, {address(vcpus_[index])});
    RunResult result{.why = RunExit::not_running, .error = to_int(exit)};
    bool goes_on = exit == static_cast<std::int64_t>(pkvm::GuestExit::irq);
    if (exit == static_cast<std::int64_t>(pkvm::GuestExit::trap)) {
      const std::uint64_t ipa = vcpus_[index]->hpfar >> 4 << page_shift;
      const ExceptionClass what = class_of(vcpus_[index]->esr);
      const bool abort =
          what == ExceptionClass::data_abort || what == ExceptionClass::instruction_abort;
      const int given = abort ? give_page(index, ipa) : negated(Errno::efault);
      // The hypervisor has answered a protected guest's SMC, and only tells of it.
      goes_on = given == 0 || (what == ExceptionClass::smc64 && is_protected());
      if (given != 0 && given != negated(Errno::efault))
        result = {.why = RunExit::failed, .ipa = ipa, .error = given};
      else if (!goes_on)
        result = handle_trap(index);
    }
    kvm().call(Hypercall::pkvm_vcpu_put, {});
    if (!goes_on) return result;
  }
}

RunResult VirtualMachine::handle_trap(unsigned index) {
  pkvm::HostVcpu& vcpu = *vcpus_[index];
  switch (class_of(vcpu.esr)) {
    case ExceptionClass::hvc64:
      return {.why = RunExit::call};
    case ExceptionClass::smc64:
      if (!is_protected()) vcpu.pc += 4;
      return {.why = RunExit::call};
    case ExceptionClass::wfx:
      if (!is_protected()) vcpu.pc += 4;
      return {.why = RunExit::wait};
    case ExceptionClass::data_abort:
    case ExceptionClass::instruction_abort:
      return handle_abort(index);
  }
  return {.why = RunExit::failed, .error = negated(Errno::enosys)};
}

RunResult VirtualMachine::handle_abort(unsigned index) {
  const pkvm::HostVcpu& vcpu = *vcpus_[index];
  const std::uint64_t ipa = (vcpu.hpfar >> 4 << page_shift) | vcpu.far % page_size;
  // Where nothing can be fetched from, not even the guest's vectors help.
  if (class_of(vcpu.esr) == ExceptionClass::instruction_abort)
    return {.why = RunExit::failed, .ipa = ipa, .error = negated(Errno::efault)};
  if (!test_bit(vcpu.esr, iss_isv)) return {.why = RunExit::stray, .ipa = ipa};
  if (!test_bit(vcpu.esr, iss_wnr)) return {.why = RunExit::mmio_read, .ipa = ipa};
  const unsigned reg = is_protected() ? 0 : transfer_register(vcpu.esr);
  const std::uint64_t value = reg == zero_register ? 0 : vcpu.x[reg];
  return {.why = RunExit::mmio_write, .ipa = ipa, .value = value & transfer_mask(vcpu.esr)};
}

void VirtualMachine::finish_mmio(unsigned index, std::uint64_t value) {
  pkvm::HostVcpu& vcpu = *vcpus_[index];
  if (is_protected()) {
    if (!test_bit(vcpu.esr, iss_wnr)) vcpu.x[0] = value;
    vcpu.wish = pkvm::EntryWish::emulated;
    return;
  }
  const unsigned reg = transfer_register(vcpu.esr);
  if (!test_bit(vcpu.esr, iss_wnr) && reg != zero_register)
    vcpu.x[reg] = value & transfer_mask(vcpu.esr);
  vcpu.pc += 4;
}

void VirtualMachine::abort_access(unsigned index) {
  vcpus_[index]->wish = pkvm::EntryWish::abort;
}

void VirtualMachine::check_zero(Pa page) {
  const auto* const words = linear_pointer<const std::uint64_t>(page);
  for (std::size_t i = 0; i < page_size / sizeof(std::uint64_t); ++i)
    if (words[i] != 0) {
      ++dirty_pages_;
      return;
    }
}

int VirtualMachine::reclaim(Slot& slot, std::uint64_t page) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("vm.hvc.reclaim", Errno::eperm,
                                               "hypercall __pkvm_reclaim_dying_guest_page"))
    return fault.answer;
  const Pa pa = slot.memory + (page << page_shift);
  const std::uint64_t ipa = slot.ipa + (page << page_shift);
  const std::uint64_t place = calls_of(generation_).reclaims_by_ipa ? ipa : ipa >> page_shift;
  const int back = to_int(
      kvm().call(Hypercall::pkvm_reclaim_dying_guest_page, {handle_, pfn_of(pa).value, place, 0}));
  if (back != 0) return back;
  slot.given.reset(page);
  if (is_protected()) check_zero(pa);
  return 0;
}

int VirtualMachine::start_teardown() const {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("vm.hvc.start_teardown", Errno::ebusy,
                                               "hypercall __pkvm_start_teardown_vm"))
    return fault.answer;
  return to_int(kvm().call(Hypercall::pkvm_start_teardown_vm, {handle_}));
}

int VirtualMachine::finalize_teardown() const {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("vm.hvc.finalize_teardown", Errno::ebusy,
                                               "hypercall __pkvm_finalize_teardown_vm"))
    return fault.answer;
  return to_int(kvm().call(Hypercall::pkvm_finalize_teardown_vm, {handle_}));
}

/// Each call reclaims one transfer, and says that there may be more.
int VirtualMachine::reclaim_ffa() const {
  constexpr unsigned most_transfers = 1024;
  const fw::Fault fault = PKVM_FAULT_ERRNO("vm.hvc.reclaim_ffa", Errno::einval,
                                           "hypercall __pkvm_reclaim_dying_guest_ffa_resources");
  int answer = fault ? fault.answer : negated(Errno::eagain);
  for (unsigned i = 0; answer == negated(Errno::eagain) && i < most_transfers; ++i)
    answer = to_int(kvm().call(Hypercall::pkvm_reclaim_dying_guest_ffa_resources, {handle_}));
  return answer;
}

/// All that are still the guest's. -EBUSY: some are with the secure world (9.3).
int VirtualMachine::reclaim_pages() {
  int first_error = 0;
  for (unsigned i = 0; i < slot_count_; ++i)
    for (std::uint64_t page = 0; page < slots_[i].pages; ++page) {
      const int back = slots_[i].given.test(page) ? reclaim(slots_[i], page) : 0;
      if (first_error == 0) first_error = back;
    }
  return first_error;
}

int VirtualMachine::destroy() {
  int first_error = 0;
  const auto note = [&first_error](int answer) {
    if (first_error == 0 && answer != 0) first_error = answer;
  };
  if (handle_ != 0) {
    note(start_teardown());
    const int back = reclaim_pages();
    const bool is_with_ffa = back == negated(Errno::ebusy) && shared_->ffa_allowed != 0;
    if (is_with_ffa) note(reclaim_ffa());
    note(is_with_ffa ? reclaim_pages() : back);
    note(finalize_teardown());
  }
  // What the hypervisor did not give back is lost, rather than freed and used.
  if (first_error != 0) return first_error;
  for (unsigned i = 0; i < slot_count_; ++i)
    free_pages(slots_[i].memory, slots_[i].pages);
  handle_ = 0;
  started_vcpus_ = 0;
  slot_count_ = 0;
  return free_shared();
}

/// The memcaches' pages, and the page that was shared; that one is lost when it stays so.
int VirtualMachine::free_shared() {
  const auto free_cache = [](pkvm::Memcache& cache) {
    for (; cache.pages != 0; --cache.pages) {
      const Pa page{cache.head};
      cache.head = *linear_pointer<std::uint64_t>(page);
      free_pages(page, 1);
    }
  };
  for (unsigned i = 0; i < vcpu_count(); ++i)
    free_cache(vcpus_[i]->memory);
  free_cache(shared_->teardown);
  shared_ = nullptr;
  const int unshared = to_int(kvm().call(Hypercall::pkvm_host_unshare_hyp, {pfn_of(page_).value}));
  if (unshared == 0) free_pages(page_, 1);
  return unshared;
}

}  // namespace pkvmemu::host
