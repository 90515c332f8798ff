// SPDX-License-Identifier: GPL-2.0-only
#include "host/rc_run.h"

#include <algorithm>
#include <array>

#include "host/arch.h"
#include "host/await.h"
#include "host/console.h"
#include "host/events.h"
#include "host/exceptions.h"
#include "host/kernel.h"
#include "host/kvm.h"
#include "host/memory.h"
#include "host/module/modules_dep.h"
#include "host/suspend.h"
#include "host/touch.h"
#include "host/trace.h"
#include "host/vm/attack_run.h"
#include "host/vm/monitor.h"
#include "lib/arch.h"
#include "lib/string.h"
#include "pkvm/psci_names.h"
#include "pkvm/smccc.h"

namespace pkvmemu::host {

namespace {

using pkvm::event::Kind;
using Word = unsigned long long;  // what %llx takes

void print_wish(const Wish& wish, const char* verb) {
  printk("%s %.*s(", verb, static_cast<int>(wish.target.size()), wish.target.data());
  bool first = true;
  for (const std::uint64_t argument : wish.given()) {
    printk("\001c%s0x%llx", first ? "" : ", ", static_cast<Word>(argument));
    first = false;
  }
  printk("\001c)");
}

/// How a call leaves EL1; the events say it by these numbers.
enum class Conduit : std::uint8_t { hvc = 0, smc = 1 };

/// x0 to x17: what an SMC carries. An HVC is made with x0 to x7.
using Registers = pkvmemu::arch::SmcRegisters;

struct Answered {
  Registers x{};
  bool x18_changed = false;
};

/// A handler that changes x18 of its caller changes the kernel's shadow stack: it is put right, so
/// that there is somebody to tell.
Answered issue(Conduit conduit, const Registers& before, std::uint64_t repeat) {
  Answered answered{.x = before};
  if (conduit == Conduit::smc) {
    pkvmemu::arch::smc(answered.x);
    return answered;
  }
  arch::CallRegisters x{};
  std::copy_n(before.begin(), x.size(), x.begin());
  const std::uint64_t x18 = arch::read_x18();
  x = arch::hvc_repeated(x, repeat);
  answered.x18_changed = arch::read_x18() != x18;
  arch::write_x18(x18);
  std::ranges::copy(x, answered.x.begin());
  return answered;
}

/// x0 and the arguments.
Registers registers_of(const Wish& wish, std::uint64_t x0) {
  Registers x{x0};
  for (std::size_t i = 0; i < wish.argument_count; ++i)
    x[i + 1] = wish.arguments[i];
  return x;
}

void tell_call(Kind kind, const Wish& wish, const Registers& x, Conduit conduit,
               bool x18_changed = false) {
  events().emit(kind,
                {x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7],
                 static_cast<std::uint64_t>(conduit), x18_changed ? 1U : 0U},
                wish.target);
}

void tell_more(const Registers& x) {
  events().emit(Kind::call_more,
                {x[8], x[9], x[10], x[11], x[12], x[13], x[14], x[15], x[16], x[17]});
}

/// x0 to x3, and whatever else came back changed.
void print_answer(const Wish& wish, const char* verb, const Registers& before, const Registers& x) {
  constexpr std::size_t always = 4;
  print_wish(wish, verb);
  printk("\001c:");
  for (std::size_t i = 0; i < x.size(); ++i)
    if (i < always || x[i] != before[i])
      printk("\001c x%u=0x%llx", static_cast<unsigned>(i), static_cast<Word>(x[i]));
  printk("\001c\n");
}

void make_call(const Wish& wish, const char* verb, std::uint64_t x0,
               Conduit conduit = Conduit::hvc) {
  const Registers before = registers_of(wish, x0);
  tell_call(Kind::call_begin, wish, before, conduit);
  const Answered answered = issue(conduit, before, wish.repeat);
  if (conduit == Conduit::smc) tell_more(answered.x);
  tell_call(Kind::call_end, wish, answered.x, conduit, answered.x18_changed);
  print_answer(wish, verb, before, answered.x);
  if (answered.x18_changed) printk("%s: x18 of the kernel came back changed\n", verb);
}

void not_made(const Wish& wish, std::string_view why) {
  print_wish(wish, "call");
  printk("\001c: not made: %.*s\n", static_cast<int>(why.size()), why.data());
  events().emit(Kind::call_not_made, {}, wish.target, why);
}

void run_call(const Wish& wish) {
  if (wish.number) {
    make_call(wish, "call", pkvm::smccc::kvm_host_id(static_cast<std::uint32_t>(*wish.number)));
    return;
  }
  const kmod::HandlerLookup found = loader().find_handler(wish.target);
  if (found.ambiguous) {
    not_made(wish, "two modules have such a handler: write MODULE/SYMBOL");
    return;
  }
  if (found.handler == nullptr) {
    not_made(wish, "no loaded module registered it");
    return;
  }
  const kmod::Module* owner = found.handler->module;
  if (owner != nullptr && owner->state != kmod::ModuleState::live) {
    not_made(wish, "its module did not load");
    return;
  }
  make_call(wish, "call", pkvm::smccc::kvm_host_id(found.handler->number));
}

void run_hvc(const Wish& wish) {
  make_call(wish, "hvc", *wish.number);
}

void run_smc(const Wish& wish) {
  make_call(wish, "smc", *wish.number, Conduit::smc);
}

/// What is suspended is this kernel: it gives an entry point and a context id of its own, unless
/// the wish has them.
void run_suspend(const Wish& wish, const pkvm::psci::Function& function) {
  const Registers before = registers_of(wish, function.id);
  tell_call(Kind::call_begin, wish, before, Conduit::smc);
  arch::CallRegisters call{};
  std::copy_n(before.begin(), call.size(), call.begin());
  const Suspended suspended = suspend(call, function.entry);
  Registers x = before;
  std::ranges::copy(suspended.x, x.begin());
  tell_call(Kind::call_end, wish, x, Conduit::smc);
  if (!suspended.entered) {
    print_answer(wish, "psci", before, x);
    return;
  }
  print_wish(wish, "psci");
  printk("\001c: resumed at its entry point\n");
}

void run_psci(const Wish& wish) {
  const pkvm::psci::Function* function = pkvm::psci::find_function(wish.target);
  if (function == nullptr) return;
  const bool ours = function->entry != 0 && wish.argument_count < function->entry;
  if (ours)
    run_suspend(wish, *function);
  else
    make_call(wish, "psci", function->id, Conduit::smc);
}

/// A path as it is; for a name, the file that modprobe would take.
std::string_view module_path(std::string_view target) {
  if (target.find('/') != std::string_view::npos) return target;
  const auto dep = kmod::ModulesDep::open(initramfs(), kernel_release());
  if (!dep) return target;
  const auto line = dep->find(target);
  if (!line) return target;
  const auto file = dep->file(line->path);
  return file ? file->path : target;
}

void run_late(const Wish& wish) {
  const int status =
      loader().insmod(module_path(wish.target), kmod::LoadKind::late, wish.module_arguments);
  printk("late %.*s: %d\n", static_cast<int>(wish.target.size()), wish.target.data(), status);
}

void run_touch(const Wish& wish) {
  const std::uint64_t value = wish.argument_count == 0 ? 0 : wish.arguments[0];
  if (!prepare_touch()) {
    printk("touch %.*s: not made, no memory for a page table\n",
           static_cast<int>(wish.target.size()), wish.target.data());
    return;
  }
  events().emit(Kind::touch_begin, {static_cast<std::uint64_t>(wish.access), *wish.number, value},
                wish.target);
  const Touched touched = touch(wish.access, Pa{*wish.number}, value);
  events().emit(Kind::touch_end, {touched.abort ? 1U : 0U, touched.value, touched.esr, touched.far},
                wish.target);
  printk("touch %.*s: ", static_cast<int>(wish.target.size()), wish.target.data());
  if (touched.abort && has_fault_address(touched.esr))
    printk("\001c%s, ESR 0x%llx FAR 0x%llx\n", name_of_exception(touched.esr),
           static_cast<Word>(touched.esr), static_cast<Word>(touched.far));
  else if (touched.abort)
    printk("\001c%s, ESR 0x%llx\n", name_of_exception(touched.esr), static_cast<Word>(touched.esr));
  else if (wish.access == Access::read)
    printk("\001c0x%llx\n", static_cast<Word>(touched.value));
  else
    printk("\001cdone\n");
}

void run_awaited(WishPhase phase);

void run_wish(const Wish& wish, WishPhase phase) {
  switch (wish.kind) {
    case WishKind::call:
      run_call(wish);
      return;
    case WishKind::hvc:
      run_hvc(wish);
      return;
    case WishKind::smc:
      run_smc(wish);
      return;
    case WishKind::psci:
      run_psci(wish);
      return;
    case WishKind::late:
      run_late(wish);
      return;
    case WishKind::pvm:
      run_guests(GuestKind::protected_vm, kvm().generation(), wish.target);
      return;
    case WishKind::vm:
      run_guests(GuestKind::ordinary, kvm().generation(), wish.target);
      return;
    case WishKind::attack:
      run_attacks(phase == WishPhase::early ? AttackPhase::early : AttackPhase::after, wish.target);
      return;
    case WishKind::touch:
      run_touch(wish);
      return;
    case WishKind::await:
      run_awaited(phase);
      return;
    case WishKind::setting:
      return;
  }
}

/// Each attack knows its own phase.
bool is_due(const Wish& wish, WishPhase phase) {
  return wish.phase == phase || wish.kind == WishKind::attack;
}

void report(RcError error, std::uint64_t line) {
  const std::string_view why = words_of(error);
  printk("/pkvm-emu.rc:%llu: %.*s\n", static_cast<Word>(line), static_cast<int>(why.size()),
         why.data());
  events().emit(Kind::rc_error, {line}, {}, why);
}

/// Until there is no more. A line has no number of its own, and says when by being handed in.
void run_awaited(WishPhase phase) {
  for (;;) {
    const std::string_view line = awaited_line(phase);
    if (line.empty()) return;
    const auto wish = parse_rc_line(line);
    if (!wish) report(wish.error(), 0);
    // Who is asked already needs no asking.
    if (!wish || !*wish || (*wish)->kind == WishKind::await) continue;
    run_wish(**wish, phase);
    drain_trace();
  }
}

}  // namespace

void run_wishes(WishPhase phase) {
  std::string_view rest = rc_script();
  for (std::uint64_t line = 1; !rest.empty(); ++line) {
    const auto wish = parse_rc_line(fw::take_until(rest, '\n'));
    if (!wish && phase == WishPhase::early) report(wish.error(), line);
    if (!wish || !*wish || !is_due(**wish, phase)) continue;
    run_wish(**wish, phase);
    drain_trace();
  }
}

}  // namespace pkvmemu::host
