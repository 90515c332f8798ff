// SPDX-License-Identifier: GPL-2.0-only
// Makes every call that the hypervisor answers by itself, rightly and wrongly, and prints x0 to x3
// of each answer.
#include <array>

#include "guest/guest.h"
#include "pkvm/smccc.h"
#include "pkvm/vm.h"

using namespace pkvmemu::guest;  // NOLINT(google-build-using-namespace): a whole program
namespace layout = pkvm::guest;
namespace call = pkvm::guest_call;
namespace psci = pkvm::psci;
namespace smccc = pkvm::smccc;

namespace {

struct alignas(4096) Page {
  std::array<std::uint64_t, layout::shared_words> word;
};
constinit Page page{};

struct Arguments {
  std::uint64_t x1 = 0;
  std::uint64_t x2 = 0;
  std::uint64_t x3 = 0;
};

void show(std::string_view name, const CallResult& got) {
  print(name);
  print(":");
  for (const std::uint64_t x : got) {
    print(" ");
    print_hex(x);
  }
  print("\n");
}

void ask(std::string_view name, std::uint64_t id, Arguments x = {}) {
  show(name, hvc(id, x.x1, x.x2, x.x3));
}

// Pages of RAM that nobody uses, and an address of no vCPU's.
constexpr std::uint64_t untouched = layout::ram_ipa + 0xC'0000;
constexpr std::uint64_t never_touched = layout::ram_ipa + 0xD'0000;
constexpr std::uint64_t second_device = 0x0b00'0000;
constexpr std::uint64_t high = std::uint64_t{1} << 32;

void ask_about_the_convention() {
  ask("SMCCC_VERSION", smccc::version_id);
  ask("ARCH_FEATURES of VERSION", smccc::arch_features_id, {.x1 = smccc::version_id});
  ask("ARCH_FEATURES of a vendor's", smccc::arch_features_id, {.x1 = 0x8000'7fff});
  ask("VENDOR_UID", call::vendor_uid);
  ask("VENDOR_FEATURES", call::vendor_features);
  ask("unknown vendor call", 0xC600'003f, {.x1 = 1, .x2 = 2, .x3 = 3});
  ask("unknown standard call", 0x8400'0050, {.x1 = 1, .x2 = 2, .x3 = 3});
}

void ask_about_power() {
  ask("PSCI_VERSION", psci::version);
  struct Feature {
    std::string_view name;
    std::uint64_t id;
  };
  for (const Feature& each : {Feature{"FEATURES of CPU_ON32", psci::cpu_on32},
                              Feature{"FEATURES of CPU_ON64", psci::cpu_on64},
                              Feature{"FEATURES of CPU_OFF", psci::cpu_off},
                              Feature{"FEATURES of AFFINITY_INFO32", psci::affinity_info32},
                              Feature{"FEATURES of AFFINITY_INFO64", psci::affinity_info64},
                              Feature{"FEATURES of SYSTEM_OFF", psci::system_off},
                              Feature{"FEATURES of SYSTEM_RESET", psci::system_reset},
                              Feature{"FEATURES of SYSTEM_RESET2", psci::system_reset2},
                              Feature{"FEATURES of SMCCC_VERSION", smccc::version_id},
                              Feature{"FEATURES of VENDOR_UID", call::vendor_uid},
                              Feature{"FEATURES of SYSTEM_SUSPEND64", psci::system_suspend64}})
    ask(each.name, psci::features, {.x1 = each.id});

  ask("AFFINITY_INFO of vCPU 0", psci::affinity_info64);
  ask("AFFINITY_INFO of vCPU 1", psci::affinity_info64, {.x1 = 1});
  ask("AFFINITY_INFO of vCPU 2", psci::affinity_info64, {.x1 = 2});
  ask("AFFINITY_INFO of level 1", psci::affinity_info64, {.x1 = 1, .x2 = 1});
  ask("AFFINITY_INFO of another group", psci::affinity_info64, {.x1 = 0x100, .x2 = 1});
  ask("AFFINITY_INFO of level 4", psci::affinity_info64, {.x2 = 4});
  ask("AFFINITY_INFO64 of 1 << 32", psci::affinity_info64, {.x1 = high});
  ask("AFFINITY_INFO32 of 1 << 32", psci::affinity_info32, {.x1 = high});
  const auto entry = reinterpret_cast<std::uint64_t>(&guest_secondary);
  ask("CPU_ON64 of itself", psci::cpu_on64, {.x2 = entry});
  ask("CPU_ON64 of vCPU 2", psci::cpu_on64, {.x1 = 2, .x2 = entry});
  ask("CPU_ON32 of vCPU 2", psci::cpu_on32, {.x1 = 2, .x2 = entry});
  ask("CPU_ON32 of vCPU 1", psci::cpu_on32, {.x1 = high | 1, .x2 = entry});
  ask("CPU_ON32 again", psci::cpu_on32, {.x1 = 1, .x2 = entry});
  ask("AFFINITY_INFO32 of vCPU 1", psci::affinity_info32, {.x1 = 1});
}

void ask_about_memory() {
  const auto own = reinterpret_cast<std::uint64_t>(&page);
  *const_cast<volatile std::uint64_t*>(page.word.data()) = 1;
  ask("MEM_INFO", call::mem_info);
  ask("MEM_INFO of 1", call::mem_info, {.x1 = 1});
  ask("SHARE unaligned", call::mem_share, {.x1 = own + 8});
  ask("SHARE of two", call::mem_share, {.x1 = own, .x2 = 1});
  ask("SHARE with x3", call::mem_share, {.x1 = own, .x3 = 1});
  ask("SHARE beyond all", call::mem_share, {.x1 = std::uint64_t{1} << 45});
  ask("SHARE", call::mem_share, {.x1 = own});
  ask("SHARE again", call::mem_share, {.x1 = own});
  ask("RELINQUISH of a shared page", call::mem_relinquish, {.x1 = own});
  ask("UNSHARE", call::mem_unshare, {.x1 = own});
  ask("UNSHARE again", call::mem_unshare, {.x1 = own});
  ask("RELINQUISH unaligned", call::mem_relinquish, {.x1 = own + 8});
  ask("RELINQUISH", call::mem_relinquish, {.x1 = own});
  ask("RELINQUISH again", call::mem_relinquish, {.x1 = own});
  ask("RELINQUISH of an untouched page", call::mem_relinquish, {.x1 = never_touched});
  ask("UNSHARE of an untouched page", call::mem_unshare, {.x1 = never_touched});
  ask("SHARE of an untouched page", call::mem_share, {.x1 = untouched});
  ask("UNSHARE of it", call::mem_unshare, {.x1 = untouched});
  expect_exception();
  hvc(call::mem_share, layout::nowhere_ipa);
  print(expected_exception().esr != 0 ? "SHARE of what nobody gives: aborted\n"
                                      : "SHARE of what nobody gives: answered\n");
}

void ask_about_devices() {
  ask("GUARD_INFO", call::mmio_guard_info);
  ask("GUARD_INFO with x3", call::mmio_guard_info, {.x3 = 1});
  ask("GUARD_ENROLL", call::mmio_guard_enroll);
  ask("GUARD_MAP", call::mmio_guard_map, {.x1 = second_device});
  ask("GUARD_MAP again", call::mmio_guard_map, {.x1 = second_device});
  ask("GUARD_MAP unaligned", call::mmio_guard_map, {.x1 = second_device + 8});
  ask("GUARD_MAP of memory", call::mmio_guard_map, {.x1 = layout::payload_ipa});
  ask("SHARE of a device", call::mem_share, {.x1 = second_device});
  ask("GUARD_UNMAP", call::mmio_guard_unmap, {.x1 = second_device});
  ask("GUARD_UNMAP again", call::mmio_guard_unmap, {.x1 = second_device});
}

}  // namespace

extern "C" void guest_main(std::uint64_t /*argument*/) {
  // The firmware has enrolled; a guest without has not.
  const CallResult before = hvc(call::mmio_guard_map, layout::uart_ipa);
  open_console();
  show("GUARD_MAP at first", before);
  ask_about_the_convention();
  ask_about_power();
  ask_about_memory();
  ask_about_devices();
  hvc(psci::system_reset2);
  print("SYSTEM_RESET2 came back\n");
}
