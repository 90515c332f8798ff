// SPDX-License-Identifier: GPL-2.0-only
#include "host/kvm.h"

#include <algorithm>
#include <bit>

#include "host/asm_constants.h"
#include "host/early.h"
#include "host/events.h"
#include "host/hyp_memory.h"
#include "host/memory.h"
#include "host/page_table.h"
#include "host/sections.h"
#include "lib/fault.h"
#include "pkvm/errno.h"
#include "pkvm/smccc.h"

namespace pkvmemu::host {

namespace {

constexpr std::uint64_t smallest_pool = 8 << 20;
constexpr std::uint64_t pool_alignment = 2 << 20;

// Arm ARM D17: HCR_EL2 of a host under nVHE protected KVM: AArch64, no traps of pointer
// authentication, SMC trapped. Stage 2 comes with finalisation.
constexpr std::uint64_t hcr_host = bit(31) | bit(41) | bit(40) | bit(19);

/// T0SZ for the width, inner-shareable write-back walks, 4 KiB, 40-bit outputs, RES1 bits.
constexpr std::uint64_t hyp_tcr(unsigned va_bits) {
  return std::uint64_t{64 - va_bits} | bit(8) | bit(10) | std::uint64_t{3} << 12 |
         std::uint64_t{2} << 16 | bit(23) | bit(31);
}

Pa image_pa() {
  return boot_state.info.image.base + static_cast<std::uint64_t>(hyp_image_begin - image_begin);
}

std::uint64_t ram_end() {
  return boot_state.info.memory.all().back().end().value;
}

/// A 1024th of RAM for the hypervisor's vmemmap, a 512th each for the host's stage 2 and the linear
/// map, should all RAM be mapped page by page; and some more.
std::uint64_t pool_size() {
  std::uint64_t ram = 0;
  for (const PhysRange& region : boot_state.info.memory.all())
    ram += region.size;
  return align_up(std::max(smallest_pool, ram / 128), pool_alignment);
}

/// The bits of a linear address that say where in memory (pkvm-abi.md 7.1).
std::uint64_t linear_mask() {
  const auto width =
      static_cast<unsigned>(std::bit_width(ram_end() - pkvm::platform::ram_base - 1));
  return low_mask(width);
}

/// The half of the hypervisor's addresses that does not hold the idmap.
std::uint64_t linear_tag(Pa idmap) {
  const std::uint64_t half = bit(boot_state.va_bits - 1);
  return (idmap.value & half) ^ half;
}

/// RAM without and with no-map reservations, sorted.
void add_regions(pkvm::HypBootInfo& info) {
  const auto add = [&info](Pa begin, Pa end, std::uint64_t flags) {
    if (begin < end && info.region_count < pkvm::max_memory_regions)
      info.regions[info.region_count++] = {
          .base = begin.value, .size = end - begin, .flags = flags};
  };
  info.region_count = 0;
  for (const PhysRange& ram : boot_state.info.memory.all()) {
    Pa at = ram.base;
    for (const Reserved& reserved : boot_state.info.reserved.all()) {
      const PhysRange& hole = reserved.range;
      if (!reserved.nomap || hole.end() <= at || hole.base >= ram.end()) continue;
      add(at, hole.base, 0);
      add(hole.base, hole.end(), pkvm::HypMemoryRegion::nomap);
      at = hole.end();
    }
    add(at, ram.end(), 0);
  }
}

}  // namespace

const pkvm::HypImageHeader& Kvm::header() {
  return *reinterpret_cast<const pkvm::HypImageHeader*>(hyp_image_begin);
}

HypVa Kvm::hyp_va(std::uint64_t image_offset) const {
  return linear_hyp_va(image_ + image_offset);
}

std::optional<std::uint64_t> Kvm::image_offset(HypVa address) const {
  const HypVa begin = hyp_va(0);
  if (address < begin || address - begin >= image_size_) return std::nullopt;
  return address - begin;
}

void Kvm::relocate_image() const {
  struct Rela {
    std::uint64_t offset, info, addend;
  };
  constexpr std::uint64_t relative = 1027;  // R_AARCH64_RELATIVE
  const auto* rela = reinterpret_cast<const Rela*>(hyp_image_begin + header().rela_begin);
  const auto* const end = reinterpret_cast<const Rela*>(hyp_image_begin + header().rela_end);
  for (; rela != end; ++rela)
    if (rela->info == relative)
      *reinterpret_cast<std::uint64_t*>(hyp_image_begin + rela->offset) =
          hyp_va(rela->addend).value;
}

void Kvm::fill_boot_info(const CommandLine& line) const {
  const BootInfo& boot = boot_state.info;
  auto& info = *reinterpret_cast<pkvm::HypBootInfo*>(hyp_image_begin + header().boot_info);
  info.version = pkvm::HypBootInfo::current_version;
  info.generation = static_cast<std::uint32_t>(generation_);
  info.physvirt_offset = physvirt_offset_;
  info.kern_va_mask = linear_mask();
  info.kern_va_tag = linear_tag(image_);
  info.image_pa = image_.value;
  info.panic_handler = reinterpret_cast<std::uint64_t>(&nvhe_hyp_panic_handler);
  info.pvmfw_base = boot.pvmfw.base.value;
  info.pvmfw_size = boot.pvmfw.size;
  info.event_doorbell = boot.event_port.base.value;
  info.event_ring = boot.hyp_ring.base.value;
  info.event_ring_size = boot.hyp_ring.size;
  add_regions(info);
  info.device_count = 0;
  for (const PhysRange& device : boot.assignable.all())
    info.devices[info.device_count++] = {.base = device.base.value, .size = device.size};
  info.log_ops = line.log_ops ? 1 : 0;
  info.as_shipped = line.defects == pkvm::Defects::reproduced ? 1 : 0;
}

// Image, idmap and pool: enough for __pkvm_init, which builds the tables that stay. These pages are
// the host's again afterwards, and are not worth freeing.
std::optional<Pa> Kvm::build_first_tables() const {
  const auto root = table_memory().take_table();
  if (!root) return std::nullopt;
  PageTable tables(*root, boot_state.va_bits, table_memory());
  const pkvm::HypImageHeader& image = header();
  bool mapped = true;
  const auto map = [&](std::uint64_t begin, std::uint64_t end, Attributes how) {
    mapped = mapped && tables.map(hyp_va(begin).value, image_ + begin, end - begin, how,
                                  PageTable::Largest::page);
  };
  map(image.text_begin, image.text_end, attributes::hyp_text);
  map(image.rodata_begin, image.rodata_end, attributes::hyp_rodata);
  map(image.data_begin, image.data_end, attributes::hyp_data);
  const Pa idmap = image_ + image.idmap_begin;
  mapped = mapped && tables.map(idmap.value, idmap, image.idmap_end - image.idmap_begin,
                                attributes::hyp_text, PageTable::Largest::page);
  mapped = mapped && tables.map(linear_hyp_va(pool_.base).value, pool_.base, pool_.size,
                                attributes::hyp_data, PageTable::Largest::block_2m);
  return mapped ? root : std::nullopt;
}

int Kvm::init(const CommandLine& line) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("host.kvm.init", pkvm::Errno::enomem, "the hypervisor is started"))
    return fault.answer;
  generation_ = line.generation;
  quirks_ = QuirkRules::of(line);
  if (header().magic != pkvm::hyp_image_magic) return pkvm::negated(pkvm::Errno::enoexec);
  image_ = image_pa();
  image_size_ = header().image_end;
  physvirt_offset_ = pkvm::platform::ram_base - linear_tag(image_);
  const std::uint64_t size = pool_size();
  const auto pool = take_high_pages(size >> page_shift, pool_alignment >> page_shift);
  if (!pool) return pkvm::negated(pkvm::Errno::enomem);
  pool_ = {.base = *pool, .size = size};
  relocate_image();
  fill_boot_info(line);
  const auto root = build_first_tables();
  const auto page = take_zeroed_pages(1);
  if (!root || !page) return pkvm::negated(pkvm::Errno::enomem);

  auto& parameters = *linear_pointer<pkvm::HypInitParams>(*page);
  parameters.mair_el2 = MAIR_EL1_VALUE;
  parameters.tcr_el2 = hyp_tcr(boot_state.va_bits);
  parameters.stack_hyp_va = hyp_va(header().init_stack_top).value;
  parameters.stack_pa = image_.value + header().init_stack_top;
  parameters.pgd_pa = root->value;
  parameters.hcr_el2 = hcr_host;
  // __kvm_hyp_init reads these with its MMU off.
  arch::clean_dcache(linear_va(*page), page_size);
  arch::clean_dcache(reinterpret_cast<std::uint64_t>(hyp_image_begin), header().image_end);

  // Before it runs there, so that whoever watches its code misses nothing.
  events().emit(pkvm::event::Kind::image_placed, {hyp_va(0).value, 2});
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("host.hvc.kvm_init", pkvm::Errno::eopnotsupp,
                                               "stub hypercall __kvm_hyp_init"))
    return fault.answer;
  arch::CallRegisters x{pkvm::smccc::kvm_host_id(0), page->value};
  arch::hvc(x);
  if (x[0] != 0) return pkvm::negated(pkvm::Errno::eopnotsupp);
  if (const fw::Fault refused =
          PKVM_FAULT_ERRNO("host.hvc.pkvm_init", pkvm::Errno::enomem, "hypercall __pkvm_init"))
    return refused.answer;
  const std::int64_t answer =
      call(pkvm::Hypercall::pkvm_init, {pool_.base.value, pool_.size, 1, 0, boot_state.va_bits});
  if (answer != 0) return static_cast<int>(answer);
  phase_ = KvmPhase::initialised;
  return 0;
}

int Kvm::finalize() {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("host.hvc.prot_finalize", pkvm::Errno::eperm,
                                               "hypercall __pkvm_prot_finalize"))
    return fault.answer;
  const auto answer = static_cast<int>(call(pkvm::Hypercall::pkvm_prot_finalize, {}));
  if (answer == 0) phase_ = KvmPhase::finalised;
  return answer;
}

int Kvm::finalize_iommu(int err) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("host.hvc.iommu_finalize", pkvm::Errno::eperm,
                                               "hypercall __pkvm_iommu_finalize"))
    return fault.answer;
  const auto answer = static_cast<int>(
      call(pkvm::Hypercall::pkvm_iommu_finalize, {static_cast<std::uint64_t>(std::int64_t{err})}));
  iommu_finalized_ = iommu_finalized_ || (err == 0 && answer == 0);
  return answer;
}

void Kvm::forget_firmware() {
  auto& info = *reinterpret_cast<pkvm::HypBootInfo*>(hyp_image_begin + header().boot_info);
  info.pvmfw_base = 0;
  info.pvmfw_size = 0;
}

std::int64_t Kvm::call(pkvm::Hypercall call, std::initializer_list<std::uint64_t> arguments) const {
  const auto x = exchange(call, arguments);
  return x ? static_cast<std::int64_t>((*x)[1]) : pkvm::negated(pkvm::Errno::eopnotsupp);
}

std::optional<arch::CallRegisters> Kvm::exchange(
    pkvm::Hypercall call, std::initializer_list<std::uint64_t> arguments) const {
  const auto number = pkvm::hypercall_number(generation_, call);
  if (!number) return std::nullopt;
  arch::CallRegisters x{pkvm::smccc::kvm_host_id(*number)};
  std::size_t index = 1;
  for (const std::uint64_t argument : arguments)
    x[index++] = argument;
  arch::hvc(x);
  if (x[0] != 0) return std::nullopt;
  return x;
}

std::int64_t Kvm::call_with_refills(pkvm::Hypercall call,
                                    std::initializer_list<std::uint64_t> arguments) const {
  const auto number = pkvm::hypercall_number(generation_, call);
  if (!number) return pkvm::negated(pkvm::Errno::eopnotsupp);
  while (true) {
    arch::CallRegisters x{pkvm::smccc::kvm_host_id(*number)};
    std::ranges::copy(arguments, x.begin() + 1);
    arch::hvc(x);
    if (x[0] != 0) return pkvm::negated(pkvm::Errno::eperm);
    const auto answer = static_cast<std::int64_t>(x[1]);
    if (answer != pkvm::negated(pkvm::Errno::enomem) || x[3] == 0) return answer;
    if (topup_hyp_allocator(HypAllocator::heap, x[3], page_size) != 0) return answer;
  }
}

Kvm& kvm() {
  static constinit Kvm instance;
  return instance;
}

}  // namespace pkvmemu::host
