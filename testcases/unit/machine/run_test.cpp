// SPDX-License-Identifier: GPL-2.0-only
// How runs end, what they report, and that they repeat.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <thread>

#include "guest_image.h"
#include "machine/machine.h"

namespace pkvmemu::machine {
namespace {

using ::testing::HasSubstr;

/// spin.S, told which way to end.
Bytes spin(std::uint32_t way) {
  Bytes image = testing::guest("spin");
  std::memcpy(image.data() + 0x80, &way, sizeof(way));
  return image;
}

struct Ending {
  std::uint32_t way;
  std::string_view reason;
};

// Each way a guest can end has its own reason, and the exit says where the CPU stood.
TEST(Run, EndsForTheReasonThatTheGuestGave) {
  for (const Ending& ending :
       {Ending{0, "budget-spent"}, Ending{1, "halted"}, Ending{2, "reset"}, Ending{3, "wedged"}}) {
    const Bytes image = spin(ending.way);
    auto machine = Machine::create({.kernel = image, .budget = 100'000});
    ASSERT_TRUE(machine) << machine.error().message;
    const Exit exit = (*machine)->run();
    EXPECT_EQ(name_of(exit.reason), ending.reason) << exit.detail;
    EXPECT_EQ(exit.el, 2U);
    EXPECT_EQ(exit.pc, (*machine)->pc());
    EXPECT_LE((*machine)->instructions(), 100'000U);
  }
}

// request_stop() ends a run of an endless loop, and the run can be taken up again.
TEST(Run, AStopRequestEndsAnEndlessLoop) {
  const Bytes image = spin(0);
  auto machine = Machine::create({.kernel = image, .budget = ~std::uint64_t{0} >> 1});
  ASSERT_TRUE(machine);
  for (int round = 0; round < 2; ++round) {
    std::thread other([&] { (*machine)->request_stop(); });
    EXPECT_EQ(name_of((*machine)->run().reason), "stopped");
    other.join();
  }
}

/// Ends each run at the watched instruction, for a reason of its own.
class StopsThere : public Observer {
 public:
  explicit StopsThere(Machine& machine) : machine_(machine) {}
  void code_reached(Va /*address*/) override {
    ++reached;
    machine_.stop_here(ExitReason::stopped, "at the place");
  }
  int reached = 0;

 private:
  Machine& machine_;
};

// An observer ends a run before a watched instruction, with its reason and words and the exact
// count; a snapshot there and what follows a restore are the same, and the place is told of once.
TEST(Run, AnObserverEndsItExactlyThere) {
  const Bytes image = spin(0);
  auto spun = Machine::create({.kernel = image, .budget = 1000});
  ASSERT_TRUE(spun);
  const Va loop{(*spun)->run().pc};

  auto created = Machine::create({.kernel = image, .budget = 1000});
  ASSERT_TRUE(created);
  Machine& machine = **created;
  StopsThere observer(machine);
  machine.set_observer(&observer);
  machine.watch_code(loop);
  const Exit first = machine.run();
  EXPECT_EQ(name_of(first.reason), "stopped");
  EXPECT_EQ(first.detail, "at the place");
  EXPECT_EQ(first.pc, loop.value);
  const std::uint64_t count = machine.instructions();
  const auto snapshot = machine.take_snapshot();
  ASSERT_TRUE(snapshot);
  for (int again = 0; again < 2; ++again) {
    observer.reached = 0;
    EXPECT_EQ(machine.run().pc, loop.value);
    EXPECT_EQ(observer.reached, 1);
    EXPECT_EQ(machine.instructions(), count + 1);
    ASSERT_TRUE(machine.restore(*snapshot));
    EXPECT_EQ(machine.instructions(), count);
  }
}

/// Everything that a run shows.
struct Trace {
  std::string console;
  std::uint64_t instructions = 0;
  std::vector<std::string> events;
  bool operator==(const Trace&) const = default;
};

Trace run_events() {
  const Bytes image = testing::guest("events");
  auto machine = Machine::create({.kernel = image});
  EXPECT_TRUE(machine);
  EXPECT_EQ(name_of((*machine)->run().reason), "powered-off");
  Trace trace{
      .console = (*machine)->console(), .instructions = (*machine)->instructions(), .events = {}};
  for (const Event& event : (*machine)->events())
    trace.events.push_back(fmt::format("{} {} at {}, EL2 {}", event.from_hyp ? "hyp" : "host",
                                       static_cast<unsigned>(event.record.kind), event.instructions,
                                       event.el2_instructions));
  return trace;
}

// Two runs of one configuration show the same console, counts and events, counters included.
TEST(Run, RepeatsToTheLastInstruction) {
  const Trace first = run_events();
  const Trace second = run_events();
  EXPECT_EQ(first, second) << "first:  " << ::testing::PrintToString(first.events)
                           << "\nsecond: " << ::testing::PrintToString(second.events);
  EXPECT_EQ(first.console.size(), 16U);
}

// Between call_begin and call_end the instructions of EL2, and only those, are counted exactly.
TEST(Run, CallsAreChargedTheirEl2Instructions) {
  const Bytes image = testing::guest("events");
  auto machine = Machine::create({.kernel = image});
  ASSERT_TRUE(machine);
  (*machine)->run();
  const auto events = (*machine)->events();
  ASSERT_EQ(events.size(), 4U);
  EXPECT_TRUE(events[0].from_hyp);
  EXPECT_FALSE(events[1].from_hyp);
  EXPECT_EQ(events[2].el2_instructions - events[1].el2_instructions, 1U + 9U * 2U + 1U);
  EXPECT_EQ(events[3].el2_instructions, events[2].el2_instructions);
}

// Without the port, its address answers with an external abort, as on QEMU's board.
TEST(Run, WithoutThePortItsAddressAborts) {
  const Bytes image = testing::guest("events");
  auto machine = Machine::create({.kernel = image, .budget = 10'000, .event_port = false});
  ASSERT_TRUE(machine);
  const Exit exit = (*machine)->run();
  EXPECT_EQ(name_of(exit.reason), "wedged");  // no vectors yet
  EXPECT_TRUE((*machine)->events().empty());
}

class Recorder : public Observer {
 public:
  void exception_entered(const ExceptionEntry& entry) override {
    log += fmt::format("{}>{}:{:x} ", entry.from_el, entry.to_el, entry.esr);
    if (stop_at != 0 && ++seen == stop_at) machine->request_stop();
  }
  void exception_returned(unsigned from_el, unsigned to_el) override {
    log += fmt::format("{}<{} ", to_el, from_el);
  }
  bool wants_exception_return() const override { return wants_returns; }

  std::string log;
  bool wants_returns = false;
  unsigned stop_at = 0;
  unsigned seen = 0;
  Machine* machine = nullptr;
};

// An observer sees every entry, and every return if it wants them, in order.
TEST(Run, ObserversSeeEntriesAndReturns) {
  const Bytes image = testing::guest("events");
  for (const bool returns : {false, true}) {
    auto machine = Machine::create({.kernel = image});
    ASSERT_TRUE(machine);
    Recorder recorder;
    recorder.wants_returns = returns;
    (*machine)->set_observer(&recorder);
    (*machine)->run();
    EXPECT_EQ(recorder.log, returns ? "1<2 1>2:5a000000 1<2 1>2:5a000001 1<2 1>2:5a000002 1<2 "
                                    : "1>2:5a000000 1>2:5a000001 1>2:5a000002 ");
  }
}

// An observer may stop the run at an entry; the run then goes on to the same end.
TEST(Run, AnObserverMayStopTheRun) {
  const Bytes image = testing::guest("events");
  auto machine = Machine::create({.kernel = image});
  ASSERT_TRUE(machine);
  Recorder recorder;
  recorder.stop_at = 2;
  recorder.machine = machine->get();
  (*machine)->set_observer(&recorder);
  EXPECT_EQ(name_of((*machine)->run().reason), "stopped");
  EXPECT_EQ((*machine)->el(), 2U);
  EXPECT_EQ(name_of((*machine)->run().reason), "powered-off");
  EXPECT_EQ((*machine)->instructions(), run_events().instructions);
}

// Guest RAM can be read and written from its first to its last byte, and no further.
TEST(Memory, IsRamAndNothingElse) {
  const Bytes image = spin(0);
  auto machine = Machine::create({.kernel = image});
  ASSERT_TRUE(machine);
  EXPECT_TRUE((*machine)->memory(Pa{0x4000'0000}, 0x4000'0000));
  EXPECT_TRUE((*machine)->memory(Pa{0x7fff'ffff}, 1));
  for (const auto& [pa, size] : {std::pair{0x3fff'ffffUL, 1UL}, std::pair{0x7fff'ffffUL, 2UL},
                                 std::pair{0x4000'0000UL, ~0UL}, std::pair{~0UL, 1UL}})
    EXPECT_FALSE((*machine)->memory(Pa{pa}, size)) << pa;
  EXPECT_THAT((*machine)->memory(Pa{0}, 1).error().message, HasSubstr("0x40000000"));
}

}  // namespace
}  // namespace pkvmemu::machine
