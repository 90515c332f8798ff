// SPDX-License-Identifier: GPL-2.0-only
#include "host/finalize.h"

#include <array>
#include <cstdarg>

#include "host/arch.h"
#include "host/console.h"
#include "host/early.h"
#include "host/events.h"
#include "host/exports.h"
#include "host/iommu_devices.h"
#include "host/iommu_driver.h"
#include "host/kernel.h"
#include "host/kvm.h"
#include "host/memory.h"
#include "host/panic.h"
#include "host/quirks.h"
#include "lib/fault.h"
#include "lib/format.h"
#include "lib/memory.h"
#include "lib/string.h"
#include "pkvm/errno.h"

namespace pkvmemu::host {

PhysRange& known_firmware() {
  static constinit PhysRange known;
  static constinit bool asked = false;
  if (!asked) known = boot_state.info.pvmfw;
  asked = true;
  return known;
}

namespace {

using pkvm::event::Kind;

/// Zeroes it and cleans it to the point of coherency.
bool clear_memory(const PhysRange& range) {
  if (PKVM_FAULT_NOTHING("host.wipe", "the firmware of protected VMs is cleared")) return false;
  const auto va = map_memory(range.base, range.size);
  if (!va) return false;
  fw::fill_bytes(reinterpret_cast<void*>(*va), 0, range.size);
  arch::clean_dcache(*va, range.size);
  unmap_memory(*va, range.size);
  return true;
}

/// pkvm_firmware_rmem_clear (6.5): what else than the memory is cleared, and when, is the
/// generation's. `why` is for the report.
void wipe_firmware(const CommandLine& line, const char* why, ...)
    __attribute__((format(printf, 2, 3)));
void wipe_firmware(const CommandLine& line, const char* why, ...) {
  PhysRange& known = known_firmware();
  if (known.empty()) return;
  const PhysRange pvmfw = known;
  const pkvm::GenerationInfo& generation = pkvm::info(line.generation);
  printk("Clearing pKVM firmware memory\n");
  if (generation.wipe_tells_hyp) {
    known = {};
    Kvm::forget_firmware();
  }
  if (!clear_memory(pvmfw)) {
    printk("pKVM firmware memory could not be mapped: NOT cleared\n");
    if (!reproduces(QuirkRules::of(line), pkvm::Quirk::failed_wipe_keeps_firmware)) {
      known = {};
      Kvm::forget_firmware();
    }
    return;
  }
  if (!generation.wipe_keeps_firmware_size) known = {};
  std::array<char, 160> reason{};
  va_list arguments;
  va_start(arguments, why);
  fw::format_text(reason, why, arguments);
  va_end(arguments);
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

/// 6.1: the driver says itself when it has all its devices; the built-in one, which is for when
/// nobody brought another, has none.
int finish_iommu_devices(const CommandLine& line) {
  if (line.iommu == Iommu::null_driver && !has_iommu_devices()) kvm().finalize_iommu(0);
  return kvm().iommu_finalized() ? 0 : pkvm::negated(pkvm::Errno::enodev);
}

/// From 6.6 on: 0, or why there is no IOMMU.
int init_iommu_driver(const CommandLine& line) {
  int result = pkvm::negated(pkvm::Errno::enodev);
  if (iommu_driver() != nullptr) {
    const fw::Fault fault = PKVM_FAULT_ERRNO("host.iommu.init_driver", pkvm::Errno::enodev,
                                             "init_driver of the registered IOMMU driver");
    result = fault ? fault.answer : iommu_driver()->init_driver();
  } else if (line.iommu == Iommu::none) {
    printk(
        "pKVM enabled with no IOMMU driver: devices can reach the memory of protected VMs, keep "
        "nothing secret there\n");
  } else {
    const auto offset = Kvm::header().null_iommu_ops[static_cast<std::size_t>(line.generation)];
    const fw::Fault fault =
        PKVM_FAULT_ERRNO("host.hvc.iommu_init", pkvm::Errno::enodev, "hypercall __pkvm_iommu_init");
    result = fault ? fault.answer
                   : static_cast<int>(kvm().call(pkvm::Hypercall::pkvm_iommu_init,
                                                 {kvm().hyp_va(offset).value, 0, 0, 0}));
  }
  if (result != 0) printk("pKVM IOMMU init: error %d\n", result);
  return result;
}

/// 6.12: the hypervisor is told that the devices it was told of at the start may be assigned.
int init_iommu_and_devices(const CommandLine& line) {
  int result = init_iommu_driver(line);
  const fw::Fault failed = PKVM_FAULT_ERRNO("host.devices.init", pkvm::Errno::enomem,
                                            "assignable devices are set up (pkvm_init_devices)");
  if (result == 0) result = failed.answer;
  const fw::Fault refused = PKVM_FAULT_ERRNO("host.hvc.devices_init", pkvm::Errno::eperm,
                                             "hypercall __pkvm_devices_init");
  const std::int64_t devices =
      refused ? refused.answer : kvm().call(pkvm::Hypercall::pkvm_devices_init, {});
  if (devices != 0)
    printk("warning: assignable devices: the hypervisor answered %lld\n",
           static_cast<long long>(devices));
  return result;
}

/// 6.3: what a CPU that keeps its privileges means.
enum class FinalizeFailure : std::uint8_t {
  wipe,  ///< error, firmware wiped
  bug,
  remove_driver,  ///< error, and the IOMMU driver goes; that the firmware stays is a defect
};

/// Steps of finalize_pkvm that differ (6.3).
struct FinalizeRow {
  int (*iommu)(const CommandLine& line);
  FinalizeFailure failure;
};
constexpr std::array<FinalizeRow, pkvm::generation_count> finalize_rows = {{
    {.iommu = finish_iommu_devices, .failure = FinalizeFailure::wipe},
    {.iommu = init_iommu_driver, .failure = FinalizeFailure::bug},
    {.iommu = init_iommu_and_devices, .failure = FinalizeFailure::remove_driver},
}};

const FinalizeRow& row_of(pkvm::Generation id) {
  return finalize_rows[static_cast<std::size_t>(id)];
}

/// A CPU keeps its privileges.
void fail_to_drop(const CommandLine& line, int error) {
  const FinalizeFailure failure = row_of(line.generation).failure;
  if (failure == FinalizeFailure::bug) panic("prot_finalize: error %d", error);
  printk("prot_finalize: error %d\n", error);
  const bool drops_driver = failure == FinalizeFailure::remove_driver;
  if (drops_driver && iommu_driver() != nullptr) iommu_driver()->remove_driver();
  // Only a kernel that does not wipe has this defect.
  if (reproduces(QuirkRules::of(line), pkvm::Quirk::failed_privilege_drop_keeps_firmware)) return;
  wipe_firmware(line, "prot_finalize: error %d", error);
}

}  // namespace

void prepare_protection(const CommandLine& line) {
  if (kvm().phase() == KvmPhase::off) {
    wipe_firmware(line, "protected mode is off");
    return;
  }
  events().emit(Kind::modules_next, {});
  const int modules = loader().load_protected_modules(line.protected_modules);
  if (modules != 0) {
    const std::string_view name = first_missing(line.protected_modules);
    wipe_firmware(line, "protected module %.*s did not load", static_cast<int>(name.size()),
                  name.data());
  }
  const int iommu = row_of(line.generation).iommu(line);
  if (iommu != 0) wipe_firmware(line, "no IOMMU driver: error %d", iommu);
}

void drop_privileges(const CommandLine& line) {
  if (kvm().phase() == KvmPhase::off) {
    events().emit(Kind::finalized, {0});
    return;
  }
  announce_protection();
  const int answer = kvm().finalize();
  if (answer != 0)
    fail_to_drop(line, answer);
  else
    printk("host deprivileged\n");
  events().emit(Kind::finalized, {answer == 0 ? 1ULL : 0ULL});
}

}  // namespace pkvmemu::host
