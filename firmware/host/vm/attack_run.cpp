// SPDX-License-Identifier: GPL-2.0-only
#include "host/vm/attack_run.h"

#include <algorithm>
#include <array>
#include <cstdarg>

#include "host/arch.h"
#include "host/console.h"
#include "host/early.h"
#include "host/events.h"
#include "host/finalize.h"
#include "host/kvm.h"
#include "host/memory.h"
#include "host/vm/attack_play.h"
#include "host/vm/attack_scene.h"
#include "lib/format.h"
#include "pkvm/event.h"
#include "pkvm/platform.h"
#include "pkvm/smccc.h"

namespace pkvmemu::host {

namespace {

using pkvm::event::Kind;
using Word = unsigned long long;  // what %llx takes

/// This kernel, and the hypervisor below it.
class KernelLab final : public AttackLab {
 public:
  explicit KernelLab(AttackPhase phase) : phase_(phase) {}

  pkvm::Generation generation() const override { return kvm().generation(); }
  AttackPhase phase() const override { return phase_; }
  bool has_firmware() const override { return !known_firmware().empty(); }
  Landmarks landmarks() const override {
    return {.hypervisor = kvm().pool().base,
            .device = Pa{pkvm::platform::pl011_base},
            .beyond = boot_state.info.memory.all().back().end()};
  }

  CallAnswer call(pkvm::Hypercall call, const CallArguments& arguments) override {
    const auto number = pkvm::hypercall_number(generation(), call);
    if (!number) return {.x0 = ~std::uint64_t{0}};
    arch::CallRegisters x{pkvm::smccc::kvm_host_id(*number)};
    std::ranges::copy(arguments, x.begin() + 1);
    arch::hvc(x);
    return {.x0 = x[0], .x1 = x[1], .x3 = x[3]};
  }
  Touched touch(Access access, Pa pa, std::uint64_t value) override {
    return host::touch(access, pa, value);
  }
  std::optional<Pa> take_page() override { return take_pages(1); }
  std::uint64_t kernel_va(Pa page) const override { return linear_va(page); }
  std::byte* memory(Pa page) const override { return linear_pointer<std::byte>(page); }
  void publish(Pa page) override {
    arch::clean_dcache(linear_va(page), page_size);
    arch::sync_icache();
  }

 private:
  AttackPhase phase_;
};

/// What a played attack is told with.
class Verdict {
 public:
  explicit Verdict(const Played& played) { write(played); }
  std::string_view text() const { return {text_.data(), used_}; }

 private:
  void write(const Played& played) {
    const auto step = static_cast<Word>(played.step);
    const std::string_view call = pkvm::name_of(played.call);
    switch (played.fault) {
      case Fault::none:
        return;
      case Fault::not_set_up:
        print("cannot begin: %.*s is refused", static_cast<int>(call.size()), call.data());
        return;
      case Fault::answer:
        print("step %llu answered x0=0x%llx x1=0x%llx", step, static_cast<Word>(played.x0),
              static_cast<Word>(played.x1));
        return;
      case Fault::access:
        print("step %llu: the access %s, ESR 0x%llx", step,
              played.x0 == 0 ? "was done" : "was aborted", static_cast<Word>(played.x0));
        return;
      case Fault::wrong_page:
        print("afterwards page %llu has another owner", step);
        return;
      case Fault::not_undone:
        print("afterwards %.*s is refused", static_cast<int>(call.size()), call.data());
        return;
      case Fault::lost_page:
        print("page %llu did not come back", step);
        return;
      case Fault::dirty_page:
        print("page %llu came back with something in it", step);
        return;
    }
  }
  [[gnu::format(printf, 2, 3)]] void print(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    used_ = std::min(fw::format_text(text_, format, arguments), text_.size() - 1);
    va_end(arguments);
  }

  std::array<char, 96> text_{};
  std::size_t used_ = 0;
};

void run_one(const Attack& attack, KernelLab& lab, Pa block) {
  const bool fatal = is_fatal(attack, lab.generation());
  events().emit(Kind::attack_begin, {fatal ? 1ULL : 0ULL}, attack.name);
  if (fatal)
    printk("attack %.*s: ends the run\n", static_cast<int>(attack.name.size()), attack.name.data());
  const Verdict verdict(play(attack, lab, block));
  const std::string_view wrong = verdict.text();
  if (wrong.empty())
    printk("attack %.*s: as specified\n", static_cast<int>(attack.name.size()), attack.name.data());
  else
    printk("attack %.*s: NOT as specified: %.*s\n", static_cast<int>(attack.name.size()),
           attack.name.data(), static_cast<int>(wrong.size()), wrong.data());
  events().emit(Kind::attack_end, {wrong.empty() ? 1ULL : 0ULL}, attack.name, wrong);
}

void not_made(std::string_view pattern, std::string_view why) {
  printk("attack %.*s: not made: %.*s\n", static_cast<int>(pattern.size()), pattern.data(),
         static_cast<int>(why.size()), why.data());
  events().emit(Kind::attack_end, {0}, pattern, why);
}

bool is_wanted(const Attack& attack, const KernelLab& lab, std::string_view pattern) {
  if (attack.phase != lab.phase() || !exists_in(attack, lab.generation())) return false;
  if (attack.needs == Needs::firmware && !lab.has_firmware()) return false;
  if (is_fatal(attack, lab.generation())) return pattern == attack.name;
  return matches(pattern, attack.name);
}

}  // namespace

void run_attacks(AttackPhase phase, std::string_view pattern) {
  if (kvm().phase() == KvmPhase::off) {
    if (phase == AttackPhase::after) not_made(pattern, "there is no hypervisor");
    return;
  }
  const auto block = take_pages(AttackScene::block_pages, 2);
  if (!block) {
    not_made(pattern, "no memory");
    return;
  }
  KernelLab lab(phase);
  for (const Attack& attack : attacks())
    if (is_wanted(attack, lab, pattern)) run_one(attack, lab, *block);
  // Whatever was not as specified may have left pages with the hypervisor: they are not used again.
}

}  // namespace pkvmemu::host
