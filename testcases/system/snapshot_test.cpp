// SPDX-License-Identifier: GPL-2.0-only
// A run that goes on from a restore is the run that never was interrupted: same registers, same
// memory, same console, same events, same counts. Over random samples, generations and moments.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "harness/emulator.h"
#include "harness/generation_printer.h"
#include "harness/in_process.h"
#include "harness/random_seed.h"
#include "machine/machine.h"
#include "pkvm/generation.h"
#include "pkvm/platform.h"

namespace pkvmemu::test {
namespace {

using machine::ExitReason;
using machine::Machine;

constexpr std::uint64_t small_ram = std::uint64_t{128} << 20;
constexpr auto whole_ram = Pa{pkvm::platform::ram_base};

std::span<const std::byte> ram_of(const Machine& machine) {
  return *machine.memory(whole_ram, small_ram);
}

/// The first page in which two memories differ, or nothing.
std::string compare_ram(std::span<const std::byte> left, std::span<const std::byte> right) {
  if (std::memcmp(left.data(), right.data(), left.size()) == 0) return {};
  for (std::uint64_t at = 0; at < left.size(); ++at)
    if (left[at] != right[at])
      return fmt::format("RAM at {:#x}: {:#04x}, {:#04x}\n", whole_ram.value + at,
                         std::to_integer<unsigned>(left[at]), std::to_integer<unsigned>(right[at]));
  return {};
}

std::string text_of(const machine::Event& event) {
  std::string text = fmt::format(
      "{}{} @{} ({} at EL2) #{} {} {}", event.from_hyp ? "hyp " : "host ",
      static_cast<unsigned>(event.record.kind), event.instructions, event.el2_instructions,
      event.record.sequence, event.record.name, event.record.text);
  for (const std::uint64_t value : event.record.value)
    text += fmt::format(" {:x}", value);
  return text;
}

/// What two machines differ in, both sides; nothing when they are the same.
std::string compare(const Machine& left, const Machine& right) {
  std::string differences;
  const auto note = [&](std::string_view what, const auto& a, const auto& b) {
    if (a != b) differences += fmt::format("{}: {}, {}\n", what, a, b);
  };
  note("instructions", left.instructions(), right.instructions());
  const auto left_registers = left.registers();
  const auto right_registers = right.registers();
  for (std::size_t i = 0; i < left_registers.size(); ++i)
    note(left_registers[i].name, left_registers[i].value, right_registers[i].value);
  note("console", left.console(), right.console());
  note("events", left.events().size(), right.events().size());
  for (std::size_t i = 0; i < std::min(left.events().size(), right.events().size()); ++i)
    note(fmt::format("event {}", i), text_of(left.events()[i]), text_of(right.events()[i]));
  return differences + compare_ram(ram_of(left), ram_of(right));
}

struct Job {
  std::string text;
  tool::RunOptions options;
};

Job random_job(std::mt19937_64& random, const pkvm::GenerationInfo& generation) {
  constexpr std::array<std::string_view, 6> names{"hello",  "hello",  "steps",
                                                  "memory", "faulty", "el1fail"};
  const std::string_view name = names.at(random() % names.size());
  Job job{.text = std::string(name), .options = {}};
  job.options.modules = {module(fmt::format("{}/{}", generation.kmi, name))};
  job.options.cmdline = fmt::format("pkvmemu.generation={}", generation.kmi);
  if (name == "hello") job.options.wishes.push_back(*tool::parse_call("hello/hello_hvc:1,2"));
  const std::uint64_t guest = random() % 4;
  if (guest < 2) {
    job.text += guest == 0 ? " --pvm" : " --vm";
    job.options.wishes.push_back(
        *tool::parse_guest(guest == 0 ? tool::RcVerb::pvm : tool::RcVerb::vm, "hello"));
  }
  return job;
}

class Snapshots : public testing::TestWithParam<pkvm::GenerationInfo> {
 protected:
  Snapshots() {
    seed_ = random_seed();
    random_.seed(seed_);
  }
  std::uint64_t below(std::uint64_t limit) { return limit == 0 ? 0 : random_() % limit; }

  std::uint64_t seed_;
  std::mt19937_64 random_;
};

INSTANTIATE_TEST_SUITE_P(Generations, Snapshots, testing::ValuesIn(pkvm::generations),
                         [](const auto& instance) { return slug_of(instance.param); });

// From a random moment of a random run, three ways to a second random moment: without a snapshot,
// past a snapshot, and from a restore. All are the same in everything.
TEST_P(Snapshots, ARestoredRunIsTheUninterruptedOne) {
  for (unsigned round = 0; round < 4; ++round) {
    const Job job = random_job(random_, GetParam());
    SCOPED_TRACE(fmt::format("seed {}, round {}: {}", seed_, round, job.text));
    const auto reference = boot_in_process(job.options, small_ram);
    const auto machine = boot_in_process(job.options, small_ram);

    const auto whole = boot_in_process(job.options, small_ram);
    whole->run();
    const std::uint64_t last = whole->instructions();
    const std::uint64_t first_stop = below(last);
    const std::uint64_t second_stop = first_stop + below(last - first_stop);
    SCOPED_TRACE(fmt::format("of {} instructions: snapshot at {}, compared at {}", last, first_stop,
                             second_stop));

    ASSERT_EQ(reference->run_until({.instructions = second_stop}).reason, ExitReason::breakpoint);
    ASSERT_EQ(machine->run_until({.instructions = first_stop}).reason, ExitReason::breakpoint);
    ASSERT_EQ(machine->instructions(), first_stop);
    const auto id = machine->take_snapshot();
    ASSERT_TRUE(id);

    for (unsigned time = 0; time < 3; ++time) {
      ASSERT_EQ(machine->run_until({.instructions = second_stop}).reason, ExitReason::breakpoint);
      ASSERT_EQ(compare(*reference, *machine), "") << "continuation " << time;
      // On to somewhere else, or to the end, and back.
      const std::uint64_t beyond = time == 1 ? last + 1 : second_stop + below(last - second_stop);
      machine->run_until({.instructions = beyond});
      ASSERT_TRUE(machine->restore(*id));
      ASSERT_EQ(machine->instructions(), first_stop);
    }
    machine->run();
    ASSERT_EQ(compare(*whole, *machine), "") << "at the end";
  }
}

}  // namespace
}  // namespace pkvmemu::test
