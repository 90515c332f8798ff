// SPDX-License-Identifier: GPL-2.0-only
// Output, address conversion and memory functions that modules get (pkvm-abi.md 1.6), by memory.ko.
#include <gmock/gmock.h>

#include "conformance/ops/ops_fixture.h"
#include "harness/generation_printer.h"
#include "modules/memory/operations.h"

namespace pkvmemu::test {
namespace {

using pkvm::Generation;
using testing::HasSubstr;

class Helpers : public OpsRun {
 protected:
  Helpers() { load("memory"); }
  std::size_t memory_op(memory_operation operation, Numbers arguments = {}) {
    std::string target = fmt::format("memory_hvc:{}", static_cast<int>(operation));
    for (const std::uint64_t argument : arguments)
      target += fmt::format(",{:#x}", argument);
    return call(target);
  }
  /// The console to the byte.
  std::string text() const { return report().at("console").get<std::string>(); }
};
INSTANTIATE_TEST_SUITE_P(Generations, Helpers, testing::ValuesIn(pkvm::generations),
                         generation_name);

// puts ends with LF and CR, putx64 has 0x and 16 lower-case digits, putc nothing but its character.
TEST_P(Helpers, OutputHasTheseBytes) {
  load("serial");
  memory_op(MEMORY_PUTS);
  memory_op(MEMORY_PUTX64, {0xABCDEF});
  memory_op(MEMORY_PUTC, {'!'});
  run();
  EXPECT_THAT(text(), HasSubstr("EL2| memory: text\n\r"));
  EXPECT_THAT(text(), HasSubstr("EL2| 0x0000000000abcdef\n\r"));
  holds("1.6/puts.bytes");
  holds("1.6/putx64.bytes");
  if (is(Generation::android14_6_1)) return;
  EXPECT_THAT(text(), HasSubstr("EL2| !call memory_hvc(0xb"));
  holds("1.6/putc");
}

// Without a driver what is printed is lost, and nothing else happens.
TEST_P(Helpers, OutputWithoutADriverIsLost) {
  const auto printed = memory_op(MEMORY_PUTS);
  memory_op(MEMORY_PUTX64, {1});
  run();
  EXPECT_EQ(answer(printed), 0);
  EXPECT_EQ(lines("memory: text"), 0U);
  holds("1.6/puts.no_driver");
}

// One driver: the second one is refused, and the first keeps the output.
TEST_P(Helpers, TheSecondSerialDriverIsRefused) {
  const auto first = op(SYSTEM_REGISTER, {SYSTEM_SERIAL});
  const auto second = op(SYSTEM_REGISTER, {SYSTEM_SERIAL});
  memory_op(MEMORY_PUTX64, {7});
  const auto characters = op(SYSTEM_COUNT, {SYSTEM_SERIAL});
  run();
  EXPECT_EQ(answer(first), 0);
  EXPECT_EQ(answer(second), ebusy);
  EXPECT_EQ(answer(characters), 20) << "0x, 16 digits, LF, CR";
  EXPECT_EQ(x(characters, 2), static_cast<std::uint64_t>('\r'));
  holds("1.6/register_serial_driver");
}

// The linear map's arithmetic, there and back, for any address: nothing is checked.
TEST_P(Helpers, LinearMapIsArithmetic) {
  const auto memory = memory_op(MEMORY_LINEAR, {0x50000});
  const auto device = memory_op(MEMORY_LINEAR, {0x9000});
  run();
  EXPECT_EQ(x(memory, 2), 0x5000'0000U);
  EXPECT_EQ(x(device, 2), 0x900'0000U);
  EXPECT_EQ(x(memory, 1) - x(device, 1), 0x5000'0000U - 0x900'0000U);
  holds("1.6/hyp_va");
  holds("1.6/hyp_pa");
}

// kern_hyp_va: a kernel's linear address becomes the hypervisor's; from 6.6 on others stay.
TEST_P(Helpers, KernelAddressesAreConverted) {
  constexpr std::uint64_t kernel = 0xffff'ff80'1000'0000;
  constexpr std::uint64_t low = 0x1234;
  const auto linear = memory_op(MEMORY_LINEAR, {0x50000});
  const auto converted = memory_op(MEMORY_KERN_VA, {kernel});
  const auto other = memory_op(MEMORY_KERN_VA, {low});
  run();
  EXPECT_EQ(x(converted, 1), x(linear, 1)) << "256 MiB into RAM";
  if (is(Generation::android14_6_1))
    EXPECT_NE(x(other, 1), low);
  else
    EXPECT_EQ(x(other, 1), low);
  holds("1.6/kern_hyp_va.kernel");
  holds("1.6/kern_hyp_va.other");
}

// memset and memcpy do what they say and answer their destination.
TEST_P(Helpers, MemoryFunctionsAnswerTheirDestination) {
  memory_op(MEMORY_SHARE, {0x50000});
  memory_op(MEMORY_SHARE, {0x50001});
  const auto at = memory_op(MEMORY_LINEAR, {0x50000});
  const auto filled = memory_op(MEMORY_FILL, {0x50000, 0x1a5});
  const auto copied = memory_op(MEMORY_COPY, {0x50001, 0x50000});
  const auto read = memory_op(MEMORY_READ, {0x50001, 0xff8});
  run();
  EXPECT_EQ(x(filled, 1), x(at, 1));
  EXPECT_EQ(x(copied, 1), x(at, 1) + 0x1000);
  EXPECT_EQ(x(read, 1), 0xa5a5'a5a5'a5a5'a5a5U) << "the byte is the lowest of the argument";
  holds("1.6/memset");
  holds("1.6/memcpy");
}

}  // namespace
}  // namespace pkvmemu::test
