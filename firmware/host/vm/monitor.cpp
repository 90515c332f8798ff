// SPDX-License-Identifier: GPL-2.0-only
#include "host/vm/monitor.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "host/arch.h"
#include "host/console.h"
#include "host/events.h"
#include "host/exceptions.h"
#include "host/kernel.h"
#include "host/memory.h"
#include "host/touch.h"
#include "host/vm/guest_services.h"
#include "host/vm/payloads.h"
#include "host/vm/virtual_machine.h"
#include "image/cpio.h"
#include "lib/memory.h"
#include "pkvm/event.h"
#include "pkvm/guest.h"
#include "support/bits.h"

namespace pkvmemu::host {

namespace {

namespace layout = pkvm::guest;
using pkvm::event::Kind;

/// The firmware's pages beyond its image are there to be touched: its stack.
constexpr std::uint64_t firmware_memory = 0x2'0000;
/// Before a program's name: the protected VM starts in the program itself.
constexpr std::string_view without_firmware = "bare:";

std::optional<std::span<const std::byte>> find_payload(std::string_view name) {
  if (const auto builtin = builtin_payload(name)) return builtin;
  const auto file = image::find_file(initramfs(), name);
  if (!file || !*file) return std::nullopt;
  return std::as_bytes(std::span((*file)->data));
}

constinit bool firmware_greeted = false;

/// One guest's console: whole lines, as they come.
class GuestConsole {
 public:
  GuestConsole(GuestKind kind, std::string_view name) : kind_(kind), name_(name) {}

  void put(char c) {
    if (c == '\n' || used_ == line_.size()) flush();
    if (c != '\n') line_[used_++] = c;
  }
  void flush() {
    if (used_ == 0) return;
    const std::string_view text(line_.data(), used_);
    printk("%.*s> %.*s\n", static_cast<int>(name_.size()), name_.data(),
           static_cast<int>(text.size()), text.data());
    events().emit(Kind::guest_console, {}, name_, text);
    if (kind_ == GuestKind::protected_vm && text == layout::firmware_greeting)
      firmware_greeted = true;
    used_ = 0;
  }

 private:
  GuestKind kind_;
  std::string_view name_;
  std::array<char, 160> line_{};
  std::size_t used_ = 0;
};

class Monitor {
 public:
  Monitor(GuestKind kind, pkvm::Generation generation, std::string_view name)
      : kind_(kind),
        generation_(generation),
        name_(name),
        has_firmware_(kind == GuestKind::protected_vm && !name.starts_with(without_firmware)),
        console_(kind, name) {}

  void run() {
    const bool made = create();
    const bool ran = made && start_and_run();
    console_.flush();
    if (made) tear_down();
    events().emit(Kind::guest_end, {ran ? 1ULL : 0ULL}, name_);
  }

 private:
  /// Every step is told with what it answered.
  bool step(const char* what, int answer, std::uint64_t told = 0) {
    printk("%s %.*s: %s: %d\n", kind_word(), static_cast<int>(name_.size()), name_.data(), what,
           answer);
    events().emit(Kind::guest_step,
                  {static_cast<std::uint64_t>(std::int64_t{answer}),
                   kind_ == GuestKind::protected_vm ? 1ULL : 0ULL, told},
                  name_, what);
    return answer == 0;
  }
  const char* kind_word() const { return kind_ == GuestKind::protected_vm ? "pvm" : "vm"; }

  bool create() {
    const bool is_protected = kind_ == GuestKind::protected_vm;
    return step("create", vm_.create(generation_, is_protected ? pkvm::vm_type_protected : 0));
  }

  bool set_up_firmware() {
    if (!has_firmware_) return true;
    std::uint64_t size = 0;
    const int answer = vm_.firmware_info(size);
    if (answer == 0)
      printk("%s %.*s: firmware of %llu bytes\n", kind_word(), static_cast<int>(name_.size()),
             name_.data(), static_cast<unsigned long long>(size));
    if (!step("firmware info", answer, size)) return false;
    return step("set firmware", vm_.set_firmware_ipa(layout::firmware_ipa));
  }

  bool start_and_run() {
    if (!set_up_firmware()) return false;
    const auto payload = find_payload(program());
    if (!payload) return step("payload", pkvm::negated(pkvm::Errno::enoent));
    if (!step("memory", add_memory(*payload))) return false;
    for (unsigned i = 0; i < vcpus; ++i) {
      const int made =
          vm_.create_vcpu(i == 0 ? pkvm::VcpuPower::runnable : pkvm::VcpuPower::stopped);
      if (made != 0) return step("vcpu", made);
    }
    pkvm::HostVcpu& entry = vm_.vcpu(0);
    entry.pc = layout::payload_ipa;
    entry.x[0] = layout::ram_ipa;
    running_[0] = true;
    return step("run", run_vcpus());
  }

  int add_memory(std::span<const std::byte> payload) {
    if (has_firmware_)
      if (const int added = vm_.add_memory(layout::firmware_ipa, firmware_memory); added != 0)
        return added;
    if (const int added = vm_.add_memory(layout::ram_ipa, layout::ram_size); added != 0)
      return added;
    const auto room = vm_.backing(layout::payload_ipa, payload.size());
    if (!room) return pkvm::negated(pkvm::Errno::e2big);
    const Pa at = *room;
    fw::copy_bytes(linear_pointer<std::byte>(at), payload.data(), payload.size());
    const Pa boot = *vm_.backing(layout::ram_ipa);
    *linear_pointer<layout::BootPage>(boot) = {.magic = layout::boot_magic,
                                               .payload_ipa = layout::payload_ipa,
                                               .payload_size = payload.size(),
                                               .vcpus = vcpus};
    arch::clean_dcache(linear_va(at), payload.size());
    arch::clean_dcache(linear_va(boot), page_size);
    arch::sync_icache();
    return 0;
  }

  /// The vCPUs that are on in turn, until the guest powers off or nobody can go on.
  int run_vcpus() {
    constexpr unsigned most_idle_rounds = 64;
    for (unsigned idle_rounds = 0; idle_rounds < most_idle_rounds; ++idle_rounds) {
      for (unsigned i = 0; i < vcpus && !off_; ++i)
        if (const int failed = run_vcpu(i); failed != 0) return failed;
      if (off_) return 0;
      if (worked_) idle_rounds = 0;
      worked_ = false;
    }
    return pkvm::negated(pkvm::Errno::eagain);
  }

  /// One vCPU until it has nothing to do for now: it is off, waits, or polls a device. There are no
  /// interrupts that would take it from its CPU.
  int run_vcpu(unsigned vcpu) {
    while (running_[vcpu] && !off_) {
      const RunResult result = vm_.run(vcpu);
      if (const int failed = handle(vcpu, result); failed != 0) return failed;
      if (result.why == RunExit::wait || result.why == RunExit::mmio_read) return 0;
      worked_ = true;
    }
    return 0;
  }

  int handle(unsigned vcpu, const RunResult& result) {
    switch (result.why) {
      case RunExit::mmio_write:
        if (!write_device(result.ipa, result.value)) break;
        vm_.finish_mmio(vcpu, 0);
        return 0;
      case RunExit::mmio_read:
        if (!is_device(result.ipa)) break;
        vm_.finish_mmio(vcpu, 0);
        return 0;
      case RunExit::call:
        return answer_call(vcpu);
      case RunExit::wait:
        return 0;
      case RunExit::stray:
        break;
      case RunExit::not_running:
        return pkvm::negated(pkvm::Errno::einval);
      case RunExit::failed:
        return result.error;
    }
    vm_.abort_access(vcpu);
    return 0;
  }

  static bool is_device(std::uint64_t ipa) {
    const std::uint64_t page = align_down(ipa, page_size);
    return page == layout::uart_ipa || page == layout::mailbox_ipa;
  }

  bool write_device(std::uint64_t ipa, std::uint64_t value) {
    if (ipa == layout::uart_ipa) console_.put(static_cast<char>(value));
    if (ipa == layout::mailbox_ipa) answer_mail(value);
    if (ipa == layout::intrusion_ipa) intrude(value);
    return is_device(ipa);
  }

  /// The guest says that it shares the page: every word is answered by its inverse. A page that the
  /// host cannot reach stays as it is.
  void answer_mail(std::uint64_t ipa) {
    const auto pa = vm_.backing(ipa);
    if (!pa) return;
    const bool reached = invert_words(*pa);
    printk("%s %.*s: the shared page %s\n", kind_word(), static_cast<int>(name_.size()),
           name_.data(), reached ? "is answered" : "cannot be reached");
  }

  /// The guest asks how well it is protected (pkvm-abi.md 7.7).
  void intrude(std::uint64_t ipa) {
    struct Attempt {
      const char* what;
      Access access;
      std::uint64_t offset;
    };
    constexpr static std::array attempts = {
        Attempt{.what = "reads", .access = Access::read, .offset = 0},
        Attempt{.what = "executes", .access = Access::execute, .offset = 0},
        Attempt{.what = "writes", .access = Access::write, .offset = sizeof(std::uint64_t)}};
    const auto page = vm_.backing(ipa);
    if (!page) return;
    for (const Attempt& attempt : attempts) {
      const Touched touched = touch(attempt.access, *page + attempt.offset, 0);
      printk("%s %.*s: the host %s the page: ", kind_word(), static_cast<int>(name_.size()),
             name_.data(), attempt.what);
      if (touched.abort)
        printk("\001c%s, ESR 0x%llx\n", name_of_exception(touched.esr),
               static_cast<unsigned long long>(touched.esr));
      else
        printk("\001cdone\n");
    }
  }

  int answer_call(unsigned vcpu) {
    const GuestCall call = answer_guest_call(vm_, vcpu);
    if (call.effect == CallEffect::power_off) off_ = true;
    if (call.effect == CallEffect::stop) running_[vcpu] = false;
    if (call.effect == CallEffect::start && call.target < vcpus) running_[call.target] = true;
    return 0;
  }

  void tear_down() {
    const unsigned given = vm_.pages_given();
    const bool done = step("tear down", vm_.destroy());
    if (!done || kind_ == GuestKind::ordinary || given == 0) return;
    if (vm_.dirty_pages() == 0)
      printk("pvm %.*s: all %u pages came back zeroed\n", static_cast<int>(name_.size()),
             name_.data(), given);
    else
      printk("pvm %.*s: %u of %u pages came back with something in them\n",
             static_cast<int>(name_.size()), name_.data(), vm_.dirty_pages(), given);
  }

  std::string_view program() const {
    return name_.starts_with(without_firmware) ? name_.substr(without_firmware.size()) : name_;
  }

  static constexpr unsigned vcpus = 2;

  GuestKind kind_;
  pkvm::Generation generation_;
  std::string_view name_;
  bool has_firmware_;
  GuestConsole console_;
  VirtualMachine vm_;
  std::array<bool, vcpus> running_{};
  bool off_ = false;
  bool worked_ = false;  ///< in this round
};

}  // namespace

void run_guest(GuestKind kind, pkvm::Generation generation, std::string_view payload) {
  Monitor(kind, generation, payload).run();
}

bool firmware_has_reported_in() {
  return firmware_greeted;
}

}  // namespace pkvmemu::host
