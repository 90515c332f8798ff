// SPDX-License-Identifier: GPL-2.0-only
// What EL1 halves call that reads or writes structures of theirs: pages by their struct page, wait
// queues, notifier chains, caches, sscanf; each generation by its own exported names and layout.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "conformance/every_generation.h"

namespace pkvmemu::test {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;

class KernelCalls : public GenerationTest {
 protected:
  static Arguments doing(std::string_view what) {
    return {own("kernelcalls"), "--cmdline", fmt::format("kernelcalls.what={}", what)};
  }
};
INSTANTIATE_TEST_SUITE_P(Generations, KernelCalls, testing::ValuesIn(pkvm::generations),
                         generation_slug);

// struct page lies where the generation's inlines reckon it, and says who uses the page: the last
// user gives it back. Values worked out by hand from what the module does.
TEST_P(KernelCalls, PagesAreCounted) {
  const auto run = run_on_both({own("kernelcalls")});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_THAT(run.console,
              IsSupersetOf({"pages: zero 1, aligned 1, back 1, next 1",
                            "pages: users 1, mapped -1, of an object 1",
                            "pages: tail of 1, users 1", "pages: held 1", "pages: let go 0, tail 0",
                            "pages: second 1", "pages: exact 0, area 1, too many 1"}));
  EXPECT_THAT(run.report.at("stub_uses"), IsEmpty());
}

// A wait runs the work that ends it, at the moment when it is due; a time-out ends when its time
// has passed, and leaves later work alone.
TEST_P(KernelCalls, WaitsEndWhenTheyAreWoken) {
  const auto run = run_emulator({own("kernelcalls")});
  EXPECT_THAT(run.console, IsSupersetOf({"waited: served 1 after 10, queue empty 1",
                                         "waited: in time 15, so already 7",
                                         "waited: too late 0 after 25, served 2",
                                         "waited: interrupted 0, woken nobody 0, state 0",
                                         "waited: slept 5, left 0, then 0"}));
}

// The bad twin: a wait that nobody can end is told, with who waits.
TEST_P(KernelCalls, AWaitThatNobodyEndsIsToldByName) {
  const auto run = run_into_panic_on_both(doing("asleep"));
  EXPECT_EQ(run.process.exit_code, 13) << run.process.out;
  EXPECT_THAT(run.report.at("host_panic").get<std::string>(),
              HasSubstr("nothing is left that could wake the task"));
  EXPECT_THAT(run.report.at("host_panic").get<std::string>(), HasSubstr("[kernelcalls]"));
}

// The bad twin of counting: a page that is freed twice is told, and stays free.
TEST_P(KernelCalls, FreeingTwiceIsTold) {
  const auto run = run_on_both(doing("twice"));
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out;
  EXPECT_THAT(
      run.console,
      Contains(testing::MatchesRegex("BUG: __free_pages at .*\\[kernelcalls\\]: no page in use")));
}

// Blocking and srcu chains call by priority, stop when told to, and refuse what is on them already.
TEST_P(KernelCalls, ChainsCallByPriority) {
  const auto run = run_emulator({own("kernelcalls")});
  EXPECT_THAT(run.console,
              IsSupersetOf({"blocking: again -17, rival -16, head 1", "blocking: stopped 0x8001",
                            "blocking: absent -2, told 121", "srcu: told 122, absent -2"}));
}

// Objects of a cache are constructed; sscanf takes what its format says.
TEST_P(KernelCalls, CachesAndText) {
  const auto run = run_emulator({own("kernelcalls")});
  EXPECT_THAT(run.console,
              IsSupersetOf({"cache: constructed 0x5a 0x5a", "scanned: 3 of 0x60000000 0x200 dry",
                            "scanned: 1, then 0 0"}));
}

// The pages of a list for an IOMMU are shared with the hypervisor, all of them, and no longer.
TEST(ListsForIommus, AreSharedAsAWhole) {
  holds("3.7/iommu_calls.share_hyp_sg", pkvm::Generation::android16_6_12, HeldOn::machine_and_qemu);
  const Arguments arguments = {module("android16-6.12/kernelcalls")};
  const auto run = run_emulator(arguments);
  EXPECT_THAT(run.console, Contains("scattered: shared 0, unshared 0, again -1"));
  EXPECT_EQ(run_qemu(arguments), run.console);
}

// vmap puts pages side by side in the order given, and vunmap knows what it made.
TEST_P(KernelCalls, PagesAreMappedSideBySide) {
  const auto run = run_emulator({own("kernelcalls")});
  EXPECT_THAT(run.console, IsSupersetOf({"mapped: 12 1, behind 12, same 1", "mapped: none 1"}));
  EXPECT_THAT(lines_with(run.console, "WARNING: vunmap at "), testing::SizeIs(1));
}

// A parameter's own setter builds on the kernel's, and its refusal is the load's.
TEST_P(KernelCalls, SettersBuildOnTheKernels) {
  const auto with = [](std::string_view value) {
    return run_emulator(
        {own("kernelcalls"), "--cmdline", fmt::format("kernelcalls.even={}", value)});
  };
  EXPECT_THAT(with("6").console, Contains("parameter: 6"));
  for (const char* value : {"5", "x"})
    EXPECT_EQ(with(value).process.exit_code, 10) << value;
}

// A search tree keeps its order, there and back, whatever is put in and taken out.
TEST_P(KernelCalls, TreesKeepTheirOrder) {
  const auto run = run_emulator({own("kernelcalls")});
  EXPECT_THAT(run.console, IsSupersetOf({"tree: all 12345678 and 87654321",
                                         "tree: some 23578 and 87532", "tree: one 4 and 4"}));
}

// Locks of readers and writers, and semaphores, hold what their words say, and refuse what they
// must.
TEST_P(KernelCalls, LocksRefuse) {
  const auto run = run_emulator({own("kernelcalls")});
  EXPECT_THAT(run.console, IsSupersetOf({"rwlock: read 0x200, write 0",
                                         "rwlock: written 0xff, read 0", "rwsem: read 1, write 0",
                                         "rwsem: written, read 0", "rwsem: downgraded, read 1",
                                         "semaphore: taken 1, refused 1", "semaphore: again 1"}));
}

// What inlines call besides: limits, counters, text, chance, memory that may not be there.
TEST_P(KernelCalls, HelpersOfInlines) {
  const auto run = run_emulator({own("kernelcalls")});
  EXPECT_THAT(run.console, IsSupersetOf({"limit: said 2, missed 3", "refcount: 0xc0000000",
                                         "hex: 0fa05c, bad -22", "numbers: 0x1f, -12, rest g",
                                         "emitted: 6, same 1, other 0, at 2, nowhere -22",
                                         "random: 1, jiffies 3", "nofault: 0, -34 and -14"}));
  EXPECT_THAT(run.console, Contains(HasSubstr("WARNING: refcount_t: underflow; use-after-free")));
}

}  // namespace
}  // namespace pkvmemu::test
