// SPDX-License-Identifier: GPL-2.0-only
#include "host/rc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace pkvmemu::host;
using ::testing::ElementsAre;

Wish parsed(std::string_view line) {
  const auto wish = parse_rc_line(line);
  EXPECT_TRUE(wish && *wish) << line;
  return wish && *wish ? **wish : Wish{};
}

RcError refused(std::string_view line) {
  const auto wish = parse_rc_line(line);
  EXPECT_FALSE(wish) << line;
  return wish ? RcError{} : wish.error();
}

// Blank lines and comments ask for nothing.
TEST(Rc, BlankLinesAndComments) {
  for (const char* line : {"", "  \t", "# call 128", "   # x\r"}) {
    const auto wish = parse_rc_line(line);
    ASSERT_TRUE(wish) << line;
    EXPECT_FALSE(*wish) << line;
  }
}

// A call names a handler or a number, with up to seven arguments in either base.
TEST(Rc, Calls) {
  const Wish named = parsed("call hello/hello_hvc:1,0x2 # comment");
  EXPECT_EQ(named.kind, WishKind::call);
  EXPECT_EQ(named.phase, WishPhase::after);
  EXPECT_EQ(named.target, "hello/hello_hvc");
  EXPECT_EQ(named.number, std::nullopt);
  EXPECT_EQ(named.repeat, 1U);
  EXPECT_THAT(named.given(), ElementsAre(1, 2));

  const Wish numbered = parsed("  early call repeat=1000 130:1,2,3,4,5,6,0xffffffffffffffff\r");
  EXPECT_EQ(numbered.phase, WishPhase::early);
  EXPECT_EQ(numbered.repeat, 1000U);
  EXPECT_EQ(numbered.number, 130U);
  EXPECT_THAT(numbered.given(), ElementsAre(1, 2, 3, 4, 5, 6, ~std::uint64_t{0}));
  EXPECT_TRUE(parsed("call 5000").given().empty());
}

// Waiting for wishes takes no operand, and may be early.
TEST(Rc, Await) {
  EXPECT_EQ(parsed("await").kind, WishKind::await);
  EXPECT_EQ(parsed("early await").phase, WishPhase::early);
  EXPECT_EQ(refused("await all"), RcError::trailing_text);
}

// What is said about an EL2 half is there for its load, and no wish; what it says is read then.
TEST(Rc, Settings) {
  const Wish setting = parsed("el2only foo set limit=3 # comment");
  EXPECT_EQ(setting.kind, WishKind::setting);
  EXPECT_EQ(setting.target, "foo");
  EXPECT_EQ(refused("el2only"), RcError::no_target);
  EXPECT_EQ(refused("el2only foo"), RcError::bad_setting);
  EXPECT_EQ(refused("el2only foo run f"), RcError::bad_setting);
  EXPECT_EQ(refused("el2only foo init"), RcError::bad_setting);
  EXPECT_EQ(refused("el2only foo init f g"), RcError::trailing_text);
}

// PSCI's functions go by their names; a number is not one.
TEST(Rc, Psci) {
  const Wish suspend = parsed("psci suspend:0x10000");
  EXPECT_EQ(suspend.kind, WishKind::psci);
  EXPECT_EQ(suspend.number, 0xc400'0001U);
  EXPECT_THAT(suspend.given(), ElementsAre(0x10000));
  EXPECT_EQ(parsed("early psci version").phase, WishPhase::early);
  EXPECT_EQ(refused("psci nosuch"), RcError::no_function);
  EXPECT_EQ(refused("psci 0x84000000"), RcError::no_function);
}

// A raw HVC or SMC takes any x0, and late takes one module with its parameters.
TEST(Rc, HvcSmcAndLate) {
  const Wish hvc = parsed("hvc 0xc600000e:4");
  EXPECT_EQ(hvc.kind, WishKind::hvc);
  EXPECT_EQ(hvc.number, 0xc600'000eU);
  EXPECT_THAT(hvc.given(), ElementsAre(4));
  const Wish smc = parsed("smc 0xc2000001:1,2");
  EXPECT_EQ(smc.kind, WishKind::smc);
  EXPECT_EQ(smc.number, 0xc200'0001U);
  EXPECT_THAT(smc.given(), ElementsAre(1, 2));
  const Wish late = parsed("early late lib/modules/foo.ko");
  EXPECT_EQ(late.kind, WishKind::late);
  EXPECT_EQ(late.phase, WishPhase::early);
  EXPECT_EQ(late.target, "lib/modules/foo.ko");
  EXPECT_EQ(late.module_arguments, "");
  EXPECT_EQ(parsed("late foo  a=1 \"b=2 3\" # why").module_arguments, "a=1 \"b=2 3\"");
}

// A touch has an access, a physical address and, to write, a value.
TEST(Rc, Touch) {
  const Wish read = parsed("touch r:0x50000000");
  EXPECT_EQ(read.kind, WishKind::touch);
  EXPECT_EQ(read.access, Access::read);
  EXPECT_EQ(read.number, 0x5000'0000U);
  EXPECT_EQ(read.target, "r:0x50000000");
  const Wish write = parsed("early touch w:4096=0x12");
  EXPECT_EQ(write.access, Access::write);
  EXPECT_EQ(write.phase, WishPhase::early);
  EXPECT_THAT(write.given(), ElementsAre(0x12));
  EXPECT_EQ(parsed("touch x:0xffffffffffff").access, Access::execute);
}

// A guest's program is a word, or the default one.
TEST(Rc, Guests) {
  EXPECT_EQ(parsed("pvm").kind, WishKind::pvm);
  EXPECT_EQ(parsed("pvm").target, "hello");
  EXPECT_EQ(parsed("vm share").kind, WishKind::vm);
  EXPECT_EQ(parsed("vm share").target, "share");
  EXPECT_EQ(refused("pvm share again"), RcError::trailing_text);
}

// Each mistake has its own answer.
TEST(Rc, Mistakes) {
  EXPECT_EQ(refused("cal 128"), RcError::unknown_verb);
  EXPECT_EQ(refused("early"), RcError::unknown_verb);
  EXPECT_EQ(refused("call"), RcError::no_target);
  EXPECT_EQ(refused("call :1"), RcError::no_target);
  EXPECT_EQ(refused("late"), RcError::no_target);
  EXPECT_EQ(refused("call repeat=0 128"), RcError::bad_repeat);
  EXPECT_EQ(refused("call repeat=x 128"), RcError::bad_repeat);
  EXPECT_EQ(refused("call 12x"), RcError::bad_number);
  EXPECT_EQ(refused("hvc hello"), RcError::bad_number);
  EXPECT_EQ(refused("smc hello"), RcError::bad_number);
  EXPECT_EQ(refused("call 128:1,,2"), RcError::bad_argument);
  EXPECT_EQ(refused("call 128:one"), RcError::bad_argument);
  EXPECT_EQ(refused("call 128:1,2,3,4,5,6,7,8"), RcError::too_many_arguments);
  EXPECT_EQ(refused("hvc 1:1,2,3,4,5,6,7,8"), RcError::too_many_arguments);
  constexpr std::string_view seventeen = "smc 1:1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17";
  const Wish smc = parsed(seventeen);
  EXPECT_EQ(smc.given().back(), 17U);
  EXPECT_EQ(refused("smc 1:1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18"),
            RcError::too_many_arguments);
  EXPECT_EQ(refused("call 127"), RcError::not_dynamic);
  EXPECT_EQ(refused("call 65536"), RcError::not_dynamic);
  EXPECT_EQ(refused("touch"), RcError::no_target);
  EXPECT_EQ(refused("touch q:1"), RcError::bad_access);
  EXPECT_EQ(refused("touch r:1=2"), RcError::bad_access);
  EXPECT_EQ(refused("touch w:1"), RcError::bad_access);
  EXPECT_EQ(refused("touch r:here"), RcError::bad_address);
  EXPECT_EQ(refused("touch r:0x1000000000000"), RcError::bad_address);
  EXPECT_EQ(refused("touch w:1=one"), RcError::bad_argument);
  EXPECT_EQ(refused("touch r:1 2"), RcError::trailing_text);
}

// Every mistake has a sentence.
TEST(Rc, EveryMistakeHasWords) {
  for (auto error = RcError::unknown_verb; error <= RcError::bad_address;
       error = static_cast<RcError>(static_cast<int>(error) + 1))
    EXPECT_FALSE(words_of(error).empty());
}

}  // namespace
