// SPDX-License-Identifier: GPL-2.0-only
// After finalisation every hypercall below prot_finalize answers x0 = -1 and changes nothing
// (pkvm-abi.md 3.5, 5.1): from the HVC to its ERET the whole of RAM is compared, EL2's pages and
// both page tables among it, but for the hyp stack, the saved host context and the event ring.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/conformance_row.h"
#include "harness/emulator.h"
#include "harness/generation_printer.h"
#include "harness/in_process.h"
#include "machine/machine.h"
#include "pkvm/generation.h"
#include "pkvm/hyp_image.h"
#include "pkvm/hypercall.h"
#include "pkvm/smccc.h"
#include "support/bits.h"

namespace pkvmemu::test {
namespace {

using testing::IsEmpty;
using testing::Not;

constexpr std::uint64_t small_ram = 0x1000'0000;
constexpr std::uint64_t hvc_class = 0x16;
/// struct user_pt_regs: what EL2 saves of the host (pkvm-abi.md 1.1).
constexpr std::uint64_t host_context_size = 0x110;

struct Range {
  Pa begin;
  std::uint64_t size = 0;
  [[nodiscard]] bool contains(Pa pa) const { return pa >= begin && pa - begin < size; }
};

/// The EL2 image in a booted machine's RAM, by the magic of its header.
std::optional<Pa> find_hyp_image(std::span<const std::byte> ram) {
  for (std::uint64_t at = 0; at < ram.size(); at += page_size) {
    std::uint64_t magic = 0;
    std::memcpy(&magic, ram.data() + at, sizeof(magic));
    if (magic == pkvm::hyp_image_magic) return Pa{pkvm::platform::ram_base + at};
  }
  return std::nullopt;
}

/// Offset of a symbol of the EL2 image from the image's start.
std::uint64_t hyp_symbol(std::string_view name) {
  const auto symbols = run_process(
      {"llvm-nm-19", "--defined-only", std::string(PKVMEMU_BUILD_DIR) + "/firmware/hyp.elf"});
  for (const std::string& line : split_lines(symbols.out))
    if (line.ends_with(" " + std::string(name))) return std::stoull(line, nullptr, 16);
  ADD_FAILURE() << "hyp.elf has no symbol " << name << ": " << symbols.err;
  return 0;
}

/// Pages of RAM that are not all zero.
class Snapshot {
 public:
  explicit Snapshot(std::span<const std::byte> ram) : ram_(ram) {
    for (std::uint64_t at = 0; at < ram.size(); at += page_size) {
      const auto page = ram.subspan(at, page_size);
      if (!is_zero(page)) pages_.emplace(at, std::vector(page.begin(), page.end()));
    }
  }

  /// Addresses of the 8-byte words that differ by now.
  [[nodiscard]] std::vector<Pa> changes() const {
    static constexpr std::array<std::byte, page_size> zeros{};
    std::vector<Pa> changed;
    for (std::uint64_t at = 0; at < ram_.size(); at += page_size) {
      const auto saved = pages_.find(at);
      const std::byte* old = saved == pages_.end() ? zeros.data() : saved->second.data();
      const std::byte* now = ram_.data() + at;
      if (std::memcmp(old, now, page_size) == 0) continue;
      for (std::uint64_t word = 0; word < page_size; word += 8)
        if (std::memcmp(old + word, now + word, 8) != 0)
          changed.push_back(Pa{pkvm::platform::ram_base + at + word});
    }
    return changed;
  }

 private:
  static bool is_zero(std::span<const std::byte> page) {
    return page[0] == std::byte{0} &&
           std::memcmp(page.data(), page.data() + 1, page.size() - 1) == 0;
  }

  std::span<const std::byte> ram_;
  std::map<std::uint64_t, std::vector<std::byte>> pages_;
};

struct ForgedCall {
  std::uint64_t function = 0;
  std::array<std::uint64_t, 8> before{};
  std::array<std::uint64_t, 8> after{};
  std::vector<Pa> changed{};  ///< but for what may change
};

/// Compares RAM from each HVC after finalisation to its ERET.
class CallWatcher final : public machine::Observer {
 public:
  explicit CallWatcher(machine::Machine& machine)
      : machine_(machine), ram_(*machine.memory(Pa{pkvm::platform::ram_base}, small_ram)) {}

  void exception_entered(const machine::ExceptionEntry& entry) override {
    if (entry.to_el != 2 || bits(entry.esr, 31, 26) != hvc_class || !finalised()) return;
    call_ = {};
    call_.function = machine_.x(0);
    call_.before = registers();
    stack_ = stack_page();
    before_.emplace(ram_);
  }

  void exception_returned(unsigned from_el, unsigned to_el) override {
    if (!before_ || from_el != 2 || to_el != 1) return;
    call_.after = registers();
    for (const Pa pa : before_->changes())
      if (!may_change(pa)) call_.changed.push_back(pa);
    calls.push_back(call_);
    before_.reset();
  }

  [[nodiscard]] bool wants_exception_return() const override { return true; }

  std::vector<ForgedCall> calls;

 private:
  [[nodiscard]] bool finalised() const {
    return std::ranges::any_of(machine_.events(), [](const machine::Event& event) {
      return event.record.kind == pkvm::event::Kind::finalized;
    });
  }

  [[nodiscard]] std::array<std::uint64_t, 8> registers() const {
    std::array<std::uint64_t, 8> x{};
    for (unsigned i = 0; i < x.size(); ++i)
      x[i] = machine_.x(i);
    return x;
  }

  /// The page below SP_EL2, which the handler is about to use.
  [[nodiscard]] Range stack_page() const {
    const auto pa = machine_.physical(Va{align_down(machine_.sp() - 1, page_size)});
    EXPECT_TRUE(pa) << "SP_EL2 points nowhere";
    return {.begin = pa.value_or(Pa{0}), .size = page_size};
  }

  [[nodiscard]] bool may_change(Pa pa) {
    if (!host_context_) {
      const auto image = find_hyp_image(ram_);
      EXPECT_TRUE(image) << "no EL2 image in RAM";
      host_context_ = {.begin = image.value_or(Pa{0}) + hyp_symbol("hyp_per_cpu"),
                       .size = host_context_size};
    }
    const Range ring{
        .begin = Pa{pkvm::platform::ram_base + small_ram - pkvm::platform::hyp_ring_below_ram_end},
        .size = pkvm::platform::event_ring_size};
    return stack_.contains(pa) || host_context_->contains(pa) || ring.contains(pa);
  }

  machine::Machine& machine_;
  std::span<const std::byte> ram_;
  std::optional<Snapshot> before_;
  std::optional<Range> host_context_;
  Range stack_;
  ForgedCall call_;
};

/// Runs hello and then, deprivileged, one HVC for each list of x0, x1, ...
std::vector<ForgedCall> forge(const pkvm::GenerationInfo& generation,
                              const std::vector<std::vector<std::uint64_t>>& calls) {
  tool::RunOptions options;
  options.no_pvm = true;  // its calls are not the forged ones
  options.modules = {module(fmt::format("{}/hello", generation.kmi))};
  for (const auto& x : calls)
    options.wishes.push_back(tool::RcLine{.verb = tool::RcVerb::hvc,
                                          .target = fmt::format("{:#x}", x.front()),
                                          .args = {x.begin() + 1, x.end()}});
  const auto machine = boot_in_process(options, small_ram);
  CallWatcher watcher(*machine);
  machine->set_observer(&watcher);
  EXPECT_EQ(machine->run().reason, machine::ExitReason::powered_off) << machine->console();

  EXPECT_EQ(watcher.calls.size(), calls.size()) << machine->console();
  return watcher.calls;
}

/// A page that is the host's, in the middle of RAM; and the first module's EL2 address (39 bits).
constexpr std::uint64_t some_pfn = (pkvm::platform::ram_base + 0x0600'0000) >> page_shift;
constexpr std::uint64_t module_va = 0x20'0840'0000;

class ForgedCalls : public testing::TestWithParam<pkvm::GenerationInfo> {};

INSTANTIATE_TEST_SUITE_P(Generations, ForgedCalls, testing::ValuesIn(pkvm::generations),
                         [](const auto& instance) { return slug_of(instance.param); });

// All early calls, with arguments that would have worked before finalisation: -1, registers and
// memory untouched.
TEST_P(ForgedCalls, EarlyCallsAreRefusedAndChangeNothing) {
  holds("measured/forged/early_calls_change_nothing", GetParam().id, HeldOn::machine);
  holds("3.5/forged_calls", GetParam().id, HeldOn::machine);
  std::vector<std::vector<std::uint64_t>> calls;
  for (unsigned n = 0; n < GetParam().first_late_call; ++n)
    calls.push_back({pkvm::smccc::kvm_host_id(n), some_pfn, module_va, 6});
  for (const ForgedCall& call : forge(GetParam(), calls)) {
    EXPECT_EQ(call.after[0], ~std::uint64_t{0}) << fmt::format("{:#x}", call.function);
    for (std::size_t i = 1; i < call.before.size(); ++i)
      EXPECT_EQ(call.after[i], call.before[i]) << fmt::format("{:#x}: x{}", call.function, i);
    EXPECT_THAT(call.changed, IsEmpty())
        << fmt::format("{:#x} changed {:#x}", call.function,
                       call.changed.empty() ? 0 : call.changed.front().value);
  }
}

// The comparison sees what a call does change: sharing a page, which stays allowed, marks it in the
// vmemmap and maps its alias.
TEST_P(ForgedCalls, ALateCallThatWorksIsSeenToChangeMemory) {
  holds("measured/forged/comparison_sees_changes", GetParam().id, HeldOn::machine);
  const auto share = *pkvm::hypercall_number(GetParam().id, pkvm::Hypercall::pkvm_host_share_hyp);
  const auto calls = forge(GetParam(), {{pkvm::smccc::kvm_host_id(share), some_pfn}});
  ASSERT_EQ(calls.size(), 1U);
  EXPECT_EQ(calls[0].after[0], 0U);
  EXPECT_EQ(calls[0].after[1], 0U);
  EXPECT_THAT(calls[0].changed, Not(IsEmpty()));
}

}  // namespace
}  // namespace pkvmemu::test
