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
#include "host/vm/ffa_transport.h"
#include "host/vm/guest_services.h"
#include "host/vm/payloads.h"
#include "host/vm/virtual_machine.h"
#include "image/cpio.h"
#include "lib/memory.h"
#include "lib/string.h"
#include "pkvm/event.h"
#include "pkvm/guest.h"
#include "support/bits.h"

namespace pkvmemu::host {

namespace {

namespace layout = pkvm::guest;
using pkvm::event::Kind;

/// Before a program's name: the protected VM starts in the program itself.
constexpr std::string_view without_firmware = "bare:";
/// The same: the guest may speak FF-A to the secure world. Behind that other one where both are.
constexpr std::string_view with_ffa = "ffa:";

std::string_view without(std::string_view prefix, std::string_view name) {
  return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
}

std::optional<std::span<const std::byte>> find_payload(std::string_view name) {
  if (const auto builtin = builtin_payload(name)) return builtin;
  const auto file = image::find_file(initramfs(), name);
  if (!file || !*file) return std::nullopt;
  return std::as_bytes(std::span((*file)->data));
}

constinit bool firmware_greeted = false;

/// What one guest is called, and its number in this run.
struct GuestName {
  std::string_view text;
  std::uint64_t number;
};

/// Guests count from 1: 0 is the kernel's own.
std::uint64_t next_number() {
  static constinit std::uint64_t last = 0;
  return ++last;
}

/// One guest's console: whole lines, as they come.
class GuestConsole {
 public:
  GuestConsole(GuestName name, bool has_firmware) : name_(name), has_firmware_(has_firmware) {}

  void put(char c) {
    if (c == '\n' || used_ == line_.size()) flush();
    if (c != '\n') line_[used_++] = c;
  }
  void flush() {
    if (used_ == 0) return;
    const std::string_view text(line_.data(), used_);
    printk("%.*s> %.*s\n", static_cast<int>(name_.text.size()), name_.text.data(),
           static_cast<int>(text.size()), text.data());
    events().emit(Kind::guest_console, {0, 0, 0, name_.number}, name_.text, text);
    if (has_firmware_ && text == layout::firmware_greeting) firmware_greeted = true;
    used_ = 0;
  }

 private:
  GuestName name_;
  bool has_firmware_;
  std::array<char, 160> line_{};
  std::size_t used_ = 0;
};

class Monitor {
 public:
  /// How long a vCPU runs before the next one does: until it has nothing to do, or only to its next
  /// exit, so that guests take turns in the midst of their work.
  enum class Turn : std::uint8_t { until_idle, one_exit };

  Monitor(GuestKind kind, pkvm::Generation generation, std::string_view name)
      : kind_(kind),
        generation_(generation),
        name_(name),
        number_(next_number()),
        has_firmware_(kind == GuestKind::protected_vm && !name.starts_with(without_firmware)),
        speaks_ffa_(without(without_firmware, name).starts_with(with_ffa)),
        console_({.text = name, .number = number_}, has_firmware_) {}

  void begin() {
    made_ = create();
    going_ = made_ && set_up();
  }
  bool goes_on() const { return going_; }
  /// A turn of the guest's. It ends when it powers off, or when nobody can go on.
  void take_turn(Turn turn) {
    const int failed = run_vcpus(turn);
    if (failed == 0 && !off_) return;
    going_ = false;
    ran_ = step("run", failed);
  }
  void end() {
    console_.flush();
    if (made_) tear_down();
    events().emit(Kind::guest_end, {ran_ ? 1ULL : 0ULL, 0, 0, number_}, name_);
  }

 private:
  /// Every step is told with what it answered.
  bool step(const char* what, int answer, std::uint64_t told = 0) {
    printk("%s %.*s: %s: %d\n", kind_word(), static_cast<int>(name_.size()), name_.data(), what,
           answer);
    events().emit(Kind::guest_step,
                  {static_cast<std::uint64_t>(std::int64_t{answer}),
                   kind_ == GuestKind::protected_vm ? 1ULL : 0ULL, told, number_},
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

  bool set_up_ffa() {
    if (!speaks_ffa_) return true;
    connect_to_secure_world();
    return step("allow ffa", vm_.allow_ffa());
  }

  bool set_up() {
    if (!set_up_firmware() || !set_up_ffa()) return false;
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
    return true;
  }

  int add_memory(std::span<const std::byte> payload) {
    if (has_firmware_)
      if (const int added = vm_.add_memory(layout::firmware_ipa, layout::firmware_memory);
          added != 0)
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

  int run_vcpus(Turn turn) {
    constexpr unsigned most_idle_turns = 64 * vcpus;
    for (unsigned i = 0; i < vcpus && !off_; ++i) {
      const Ran ran = run_vcpu(current_, turn);
      if (ran.error != 0) return ran.error;
      idle_turns_ = ran.worked ? 0 : idle_turns_ + 1;
      if (!ran.idle) return 0;
      current_ = (current_ + 1) % vcpus;
    }
    return off_ || idle_turns_ < most_idle_turns ? 0 : pkvm::negated(pkvm::Errno::eagain);
  }

  struct Ran {
    int error = 0;
    bool worked = false;
    bool idle = true;  ///< it is off, waits, or polls a device
  };
  /// There are no interrupts that would take a vCPU from its CPU.
  Ran run_vcpu(unsigned vcpu, Turn turn) {
    Ran ran;
    while (running_[vcpu] && !off_) {
      const RunResult result = vm_.run(vcpu);
      ran.error = handle(vcpu, result);
      if (ran.error != 0) return ran;
      if (result.why == RunExit::wait || result.why == RunExit::mmio_read) return ran;
      ran.worked = true;
      ran.idle = !running_[vcpu];
      if (turn == Turn::one_exit) return ran;
    }
    ran.idle = true;
    return ran;
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

  std::string_view program() const { return without(with_ffa, without(without_firmware, name_)); }

  static constexpr unsigned vcpus = 2;

  GuestKind kind_;
  pkvm::Generation generation_;
  std::string_view name_;
  std::uint64_t number_;
  bool has_firmware_;
  bool speaks_ffa_;
  GuestConsole console_;
  VirtualMachine vm_;
  std::array<bool, vcpus> running_{};
  bool made_ = false;
  bool going_ = false;
  bool ran_ = false;
  bool off_ = false;
  unsigned current_ = 0;  ///< vCPU that runs next
  unsigned idle_turns_ = 0;
};

/// "pvm:NAME" and "vm:NAME" in a list are of that kind, others of the wish's.
GuestKind take_kind(std::string_view& name, GuestKind usual) {
  struct Prefix {
    std::string_view text;
    GuestKind kind;
  };
  constexpr static std::array prefixes = {Prefix{.text = "pvm:", .kind = GuestKind::protected_vm},
                                          Prefix{.text = "vm:", .kind = GuestKind::ordinary}};
  for (const Prefix& prefix : prefixes) {
    if (!name.starts_with(prefix.text)) continue;
    name.remove_prefix(prefix.text.size());
    return prefix.kind;
  }
  return usual;
}

}  // namespace

void run_guests(GuestKind usual, pkvm::Generation generation, std::string_view payloads) {
  std::array<std::optional<Monitor>, most_guests_at_once> guests;
  std::size_t count = 0;
  while (!payloads.empty() && count < guests.size()) {
    std::string_view name = fw::take_until(payloads, ',');
    const GuestKind kind = take_kind(name, usual);
    guests[count++].emplace(kind, generation, name);
  }
  const auto all = std::span(guests).first(count);
  const auto turn = count == 1 ? Monitor::Turn::until_idle : Monitor::Turn::one_exit;
  for (auto& guest : all)
    guest->begin();
  while (std::ranges::any_of(all, [](const auto& guest) { return guest->goes_on(); }))
    for (auto& guest : all)
      if (guest->goes_on()) guest->take_turn(turn);
  for (auto& guest : all)
    guest->end();
}

bool firmware_has_reported_in() {
  return firmware_greeted;
}

}  // namespace pkvmemu::host
