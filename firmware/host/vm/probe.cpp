// SPDX-License-Identifier: GPL-2.0-only
#include "host/vm/probe.h"

#include <array>
#include <cstdint>
#include <string_view>

#include "host/arch.h"
#include "host/console.h"
#include "host/events.h"
#include "host/memory.h"
#include "host/vm/virtual_machine.h"
#include "pkvm/errno.h"
#include "pkvm/event.h"
#include "pkvm/guest.h"
#include "pkvm/smccc.h"
#include "pkvm/vm.h"

namespace pkvmemu::host {

namespace {

namespace layout = pkvm::guest;
using pkvm::event::Kind;

constexpr std::string_view own_name = "probe";

class Probe {
 public:
  explicit Probe(pkvm::Generation generation) : generation_(generation) {}

  void run() {
    events().emit(Kind::probe_begin, {}, own_name);
    printk("protected VM:");
    const bool made = step("create", vm_.create(generation_, pkvm::vm_type_protected));
    const bool ran = made && set_firmware() && set_up() && step("run", run_vcpu());
    if (made) quiet_step("tear down", vm_.destroy());
    printk("\001c: %s\n", reported_in_ ? "pvmfw reported in" : "no pvmfw reported in");
    events().emit(Kind::guest_end, {ran ? 1ULL : 0ULL}, own_name);
  }

 private:
  bool step(const char* what, int answer, std::uint64_t told = 0) {
    printk("\001c%s %s %d", first_ ? "" : ",", what, answer);
    first_ = false;
    return tell(what, answer, told);
  }
  /// A step that says nothing unless it fails.
  bool quiet_step(const char* what, int answer) {
    return answer == 0 ? tell(what, answer, 0) : step(what, answer);
  }
  static bool tell(const char* what, int answer, std::uint64_t told) {
    events().emit(Kind::guest_step, {static_cast<std::uint64_t>(std::int64_t{answer}), 1, told},
                  own_name, what);
    return answer == 0;
  }

  bool set_firmware() {
    std::uint64_t size = 0;
    const int answer = vm_.firmware_info(size);
    if (!step("firmware info", answer, size)) return false;
    printk("\001c (%llu bytes)", static_cast<unsigned long long>(size));
    return step("set firmware", vm_.set_firmware_ipa(layout::firmware_ipa));
  }

  bool set_up() {
    return quiet_step("memory", add_memory()) &&
           quiet_step("vcpu", vm_.create_vcpu(pkvm::VcpuPower::runnable));
  }

  /// Room for the firmware, and a boot page that names no payload.
  int add_memory() {
    constexpr GuestMemory from = GuestMemory::end_of_ram;
    if (const int added = vm_.add_memory(layout::firmware_ipa, layout::firmware_memory, from);
        added != 0)
      return added;
    if (const int added = vm_.add_memory(layout::ram_ipa, page_size, from); added != 0)
      return added;
    const Pa boot = *vm_.backing(layout::ram_ipa);
    *linear_pointer<layout::BootPage>(boot) = {
        .magic = layout::boot_magic, .payload_ipa = 0, .payload_size = 0, .vcpus = 1};
    arch::clean_dcache(linear_va(boot), sizeof(layout::BootPage));
    return 0;
  }

  int run_vcpu() {
    vm_.vcpu(0).x[0] = layout::ram_ipa;
    for (;;) {
      const RunResult result = vm_.run(0);
      switch (result.why) {
        case RunExit::mmio_write:
          put(static_cast<char>(result.value));
          vm_.finish_mmio(0, 0);
          break;
        case RunExit::call:
          if ((vm_.vcpu(0).x[0] & low_mask(32)) == pkvm::psci::system_off) return 0;
          break;
        case RunExit::failed:
          return result.error;
        default:
          return pkvm::negated(pkvm::Errno::eio);
      }
    }
  }

  /// What the firmware prints is told as events alone; the greeting is what counts.
  void put(char c) {
    if (c != '\n') {
      if (used_ < line_.size()) line_[used_++] = c;
      return;
    }
    const std::string_view text(line_.data(), used_);
    reported_in_ = reported_in_ || text == layout::firmware_greeting;
    events().emit(Kind::guest_console, {}, own_name, text);
    used_ = 0;
  }

  pkvm::Generation generation_;
  VirtualMachine vm_;
  std::array<char, 80> line_{};
  std::size_t used_ = 0;
  bool first_ = true;
  bool reported_in_ = false;
};

}  // namespace

void probe_protected_vm(pkvm::Generation generation) {
  Probe(generation).run();
}

}  // namespace pkvmemu::host
