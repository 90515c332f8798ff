// SPDX-License-Identifier: GPL-2.0-only
// The sample smcshare and its bad twins: whose the pages of an argument list are before, during and
// after the call.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "conformance/vendor/vendor_run.h"
#include "harness/generation_printer.h"

namespace pkvmemu::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t list = address_of(first_frame);
constexpr std::uint64_t page = 0x1000;
constexpr std::uint64_t foreign = first_frame + 0x20;  ///< another module has to do with it

class Smcshare : public VendorTest {
 protected:
  static VendorRun share(const std::string& twin = "smcshare") {
    return {GetParam(), {"pages", twin}};
  }
  /// The call of six arguments, three of which are in a list of three words.
  static std::string with_list(std::uint64_t at) {
    return fmt::format("0xc2000202:6,2,3,4,{:#x}", at);
  }
  static void counts(VendorRun& run, std::int64_t lent, std::uint64_t refused,
                     std::uint64_t last_word, std::uint64_t stuck = 0) {
    run.call("smcshare_counts_hvc", lent, {refused, stuck, last_word});
  }
  /// The module `pages` does this to a page (firmware/modules/pages).
  enum Operation : std::uint8_t { do_share, do_unshare, do_pin, do_unpin, do_donate };
  static void pages(VendorRun& run, Operation operation, std::uint64_t frame,
                    std::int64_t code = 0) {
    run.call(fmt::format("pages_hvc:{},{:#x}", static_cast<int>(operation), frame), code);
  }
};

INSTANTIATE_TEST_SUITE_P(Generations, Smcshare, testing::ValuesIn(pkvm::generations),
                         [](const auto& instance) { return slug_of(instance.param); });

// EL3 knows none of these calls and leaves x1 alone, the filter clears it: so it shows who
// answered.
TEST_P(Smcshare, OnlyTheListReachesEl3) {
  VendorRun run = share();
  run.smc("0xc2000601:2,7", -1, {2, 7});
  run.smc("0xc2010601:2,7", -1, {2, 7});
  run.smc("0x80000000:7", -1, {7});
  run.smc("0xc2000601:3,7", -1, {0, 0, 0});
  run.smc("0xc2000602:2,7", -1, {0, 0, 0});
  run.smc("0x72000003:2", -1, {0, 0, 0});
  counts(run, 0, 3, 0);
  run.run();
}

// Wherever a list lies, in one page or across two, EL2 can read it during the call, EL3 is asked
// with the registers of the host, and afterwards the pages are the host's alone.
TEST_P(Smcshare, LendsAListForTheCall) {
  VendorRun run = share();
  run.writes(list + 0x10, 0x11);
  run.smc(with_list(list), -1, {6, 2, 3, 4, list});
  counts(run, 1, 0, 0x11);
  run.writes(list + page + 8, 0x22);
  run.smc(with_list(list + page - 8), -1, {6, 2, 3, 4, list + page - 8});
  counts(run, 2, 0, 0x22);
  run.smc(with_list(list), -1, {6});
  run.writes(list + 0x10, 0x33);
  for (const std::uint64_t frame : {first_frame, first_frame + 1})
    pages(run, do_donate, frame);
  run.run();
  const Ownership end = run.ownership();
  EXPECT_THAT(end.not_the_hosts, ElementsAre(first_frame, first_frame + 1)) << "donated at last";
  EXPECT_THAT(end.of_both, IsEmpty());
}

// What EL3 answers comes back through the module.
TEST_P(Smcshare, AnswersOfEl3ComeBack) {
  VendorRun run = share();
  run.plan("  - {smc: 0xc2000202, answer: [0x0, 0x11, 0x22, 0x33]}\n");
  run.smc(with_list(list), 0, {0x11, 0x22, 0x33, 4, list});
  run.run(0, VendorRun::On::machine);
  EXPECT_THAT(run.ownership().of_both, IsEmpty());
}

// A list that the host cannot lend: not aligned, not memory, not its own, or already shared, be it
// with its second page alone. Nothing has changed, and EL3 has not been asked.
TEST_P(Smcshare, RefusesWhatTheHostCannotLend) {
  const std::vector<std::pair<std::string, std::uint64_t>> bad = {
      {"not aligned", list + 4},
      {"a device", address_of(mmio_frame)},
      {"behind RAM", address_of(no_frame)},
      {"from RAM to behind it", address_of(no_frame) - 8},
      {"around the end of addresses", ~std::uint64_t{7}},
      {"the hypervisor's", address_of(hypervisor_frame)},
      {"donated to another module", address_of(foreign)},
      {"shared with another module", address_of(foreign + 1)},
      {"the second page is donated", address_of(foreign) - 8},
      {"the second page is shared", address_of(foreign + 1) - 8},
      {"an address of nobody", std::uint64_t{1} << 44},
  };
  VendorRun run = share();
  pages(run, do_donate, foreign);
  pages(run, do_share, foreign + 1);
  for (const auto& [what, address] : bad)
    run.smc(with_list(address), -3, {0, 0, 0});
  counts(run, 0, bad.size(), 0);
  run.run();
  const Ownership end = run.ownership();
  EXPECT_THAT(end.not_the_hosts, ElementsAre(foreign));
  EXPECT_THAT(end.of_both, ElementsAre(foreign + 1)) << "by the other module";
}

// Bad twin: what was lent stays lent and pinned, and the host cannot make its call again.
TEST_P(Smcshare, WithoutGivingBackTheNextCallFails) {
  VendorRun run = share("smcshare_keepslist");
  run.smc(with_list(list), -1, {6});
  run.smc(with_list(list), -3);
  pages(run, do_unshare, first_frame, is(g6_6) ? einval : ebusy);
  run.run();
  EXPECT_THAT(run.ownership().of_both, ElementsAre(first_frame));
}

// Bad twin: the list goes on in a page that nobody lent, where EL2 has nothing to read.
TEST_P(Smcshare, AListInTwoPagesIsAHypPanic) {
  VendorRun run = share("smcshare_onepage");
  run.smc(with_list(list), -1, {6});
  run.smc(with_list(list + page - 8), -1);
  run.run(12);
  EXPECT_THAT(run.last_run().process.out, HasSubstr("[smcshare_onepage]"));
}

// Bad twin: a refused second page leaves the first one shared.
TEST_P(Smcshare, WithoutUnwindingAPageStaysShared) {
  VendorRun run = share("smcshare_keepsshare");
  pages(run, do_donate, foreign);
  run.smc(with_list(address_of(foreign) - 8), -3);
  pages(run, do_donate, foreign - 1, eperm);
  run.run();
  EXPECT_THAT(run.ownership().of_both, ElementsAre(foreign - 1));
}

}  // namespace
}  // namespace pkvmemu::test
