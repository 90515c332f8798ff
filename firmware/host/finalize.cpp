// SPDX-License-Identifier: GPL-2.0-only
#include "host/finalize.h"

#include <array>
#include <cstdarg>

#include "host/arch.h"
#include "host/console.h"
#include "host/early.h"
#include "host/events.h"
#include "host/kernel.h"
#include "host/kvm.h"
#include "host/memory.h"
#include "host/panic.h"
#include "lib/format.h"
#include "lib/memory.h"
#include "lib/string.h"
#include "pkvm/errno.h"

namespace pkvmemu::host {

namespace {

using pkvm::event::Kind;

/// pkvm_firmware_rmem_clear: zeroes the firmware and cleans it to the point of coherency. `why` is
/// for the report.
void wipe_firmware(const char* why, ...) __attribute__((format(printf, 1, 2)));
void wipe_firmware(const char* why, ...) {
  const PhysRange& pvmfw = boot_state.info.pvmfw;
  if (pvmfw.empty()) return;
  std::array<char, 160> reason{};
  va_list arguments;
  va_start(arguments, why);
  fw::format_text(reason, why, arguments);
  va_end(arguments);
  printk("Clearing pKVM firmware memory\n");
  const auto va = map_memory(pvmfw.base, pvmfw.size);
  if (!va) {
    printk("pKVM firmware memory could not be mapped: NOT cleared\n");
    return;
  }
  fw::fill_bytes(reinterpret_cast<void*>(*va), 0, pvmfw.size);
  arch::clean_dcache(*va, pvmfw.size);
  unmap_memory(*va, pvmfw.size);
  events().emit(Kind::pvmfw_wiped, {}, {}, reason.data());
}

/// The first module that is not there names what went wrong.
std::string_view first_missing(std::string_view list) {
  while (!list.empty()) {
    const std::string_view name = fw::trim(fw::take_until(list, ','));
    if (name.empty()) continue;
    const kmod::Module* module = loader().find_module(name);
    if (module == nullptr || module->state != kmod::ModuleState::live) return name;
  }
  return "?";
}

/// 0, or why there is no IOMMU (6.3, from 6.6 on).
int init_iommu(const CommandLine& line) {
  if (line.iommu == Iommu::none) {
    printk(
        "pKVM enabled with no IOMMU driver: devices can reach the memory of protected VMs, keep "
        "nothing secret there\n");
    return pkvm::negated(pkvm::Errno::enodev);
  }
  // 6.1 has no such call: its driver says itself when it is ready, and ours always is.
  if (!pkvm::hypercall_number(line.generation, pkvm::Hypercall::pkvm_iommu_init)) return 0;
  const HypVa ops = kvm().hyp_va(Kvm::header().null_iommu_ops);
  return static_cast<int>(kvm().call(pkvm::Hypercall::pkvm_iommu_init, {ops.value, 0, 0, 0}));
}

}  // namespace

void prepare_protection(const CommandLine& line) {
  if (kvm().phase() == KvmPhase::off) {
    wipe_firmware("protected mode is off");
    return;
  }
  const int modules = loader().load_protected_modules(line.protected_modules);
  if (modules != 0) {
    const std::string_view name = first_missing(line.protected_modules);
    wipe_firmware("protected module %.*s did not load", static_cast<int>(name.size()), name.data());
  }
  const int iommu = init_iommu(line);
  if (iommu != 0) {
    printk("pKVM IOMMU init: error %d\n", iommu);
    if (modules == 0) wipe_firmware("no IOMMU driver: error %d", iommu);
  }
}

void drop_privileges(const CommandLine& line) {
  if (kvm().phase() == KvmPhase::off) {
    events().emit(Kind::finalized, {0});
    return;
  }
  const int answer = kvm().finalize();
  // 6.3: what a CPU that keeps its privileges means to each generation.
  if (answer != 0 && line.generation == pkvm::Generation::android15_6_6)
    panic("prot_finalize: error %d", answer);
  if (answer != 0) printk("prot_finalize: error %d\n", answer);
  if (answer != 0 && line.generation == pkvm::Generation::android14_6_1)
    wipe_firmware("prot_finalize: error %d", answer);
  if (answer == 0) printk("host deprivileged\n");
  events().emit(Kind::finalized, {answer == 0 ? 1ULL : 0ULL});
}

}  // namespace pkvmemu::host
