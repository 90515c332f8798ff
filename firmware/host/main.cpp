// SPDX-License-Identifier: GPL-2.0-only
// The kernel from its own addresses to power-off, in the boot order of pkvm-abi.md 6.1.
#include "host/command_line.h"
#include "host/console.h"
#include "host/early.h"
#include "host/events.h"
#include "host/exceptions.h"
#include "host/exports.h"
#include "host/finalize.h"
#include "host/kernel.h"
#include "host/kvm.h"
#include "host/memory.h"
#include "host/page_records.h"
#include "host/panic.h"
#include "host/platform_bus.h"
#include "host/rc_run.h"
#include "host/sections.h"
#include "host/stubs.h"
#include "host/task.h"
#include "host/time.h"
#include "host/trace.h"
#include "host/vm/monitor.h"
#include "host/vm/probe.h"
#include "lib/format.h"
#include "pkvm/platform.h"

namespace pkvmemu::host {

namespace {

void attach_events() {
  const BootInfo& boot = boot_state.info;
  if (boot.event_port.empty() || boot.host_ring.empty()) return;
  const std::uint64_t port = map_device(boot.event_port.base, boot.event_port.size);
  const auto ring = map_memory(boot.host_ring.base, boot.host_ring.size);
  if (!ring) return;
  events() = fw::EventRing::attach(
      reinterpret_cast<void*>(*ring), boot.host_ring.size,
      reinterpret_cast<volatile std::uint32_t*>(port + pkvm::event::doorbell_offset),
      pkvm::event::doorbell_host);
  events().emit(pkvm::event::Kind::image_placed, {reinterpret_cast<std::uint64_t>(image_begin), 1});
}

void print_banner(const CommandLine& line) {
  const pkvm::GenerationInfo& generation = pkvm::info(line.generation);
  printk("pkvm-emu host kernel %.*s (%.*s)\n", static_cast<int>(generation.kernel_release.size()),
         generation.kernel_release.data(), static_cast<int>(generation.kmi.size()),
         generation.kmi.data());
  for (const CommandLine::Note& note : line.notes()) {
    printk("warning: ");
    printk(words_of(note.warning), static_cast<int>(note.value.size()), note.value.data());
  }
  if (boot_state.info.pvmfw_refusal != nullptr)
    printk("pvmfw: the reserved-memory node is ignored: %s\n", boot_state.info.pvmfw_refusal);
}

void start_kvm(const CommandLine& line) {
  if (!line.protected_mode) {
    printk("kvm: protected mode is off%s\n",
           line.protected_modules.empty() ? "" : ", kvm-arm.protected_modules= is ignored");
    return;
  }
  const int answer = kvm().init(line);
  if (answer != 0)
    printk("kvm: the hypervisor did not start: error %d\n", answer);
  else
    printk("kvm: protected nVHE mode initialised\n");
}

}  // namespace

extern "C" void host_main() {
  memory_init();
  console_attach(map_device(Pa{pkvm::platform::pl011_base}, pkvm::platform::pl011_size));
  attach_events();
  const CommandLine line = parse_command_line(boot_state.info.arguments());
  task_init(line.generation);
  page_records_init(line.generation);
  if (line.pauth) enable_pauth();
  loader_init(line);
  fw::set_symbol_namer(name_address);
  set_bug_lookup(find_module_bug);
  exports_init();
  platform_bus_init(line.generation);
  if (line.unresolved == Unresolved::stub) enable_stubs();
  print_banner(line);
  start_kvm(line);
  if (line.trace_events && kvm().phase() == KvmPhase::initialised) start_tracing();
  prepare_protection(line);
  drain_trace();
  run_wishes(WishPhase::early);
  drop_privileges(line);
  run_pending_work();
  run_wishes(WishPhase::after);
  run_pending_work();
  report_deferred_devices();
  if (line.probe_pvm && !firmware_has_reported_in()) probe_protected_vm(line.generation);
  shut_down_platform_devices();
  events().emit(pkvm::event::Kind::done, {});
  printk("done: power off\n");
  power_off();
}

}  // namespace pkvmemu::host
