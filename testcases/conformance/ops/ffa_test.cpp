// SPDX-License-Identifier: GPL-2.0-only
// Memory that the host shares with the secure world (pkvm-abi.md 7.6, 8.3), with an FF-A at EL3
// that a script has: from the buffers to a reclaim.
#include "pkvm/ffa.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/ops/ops_fixture.h"
#include "harness/emulator.h"
#include "harness/generation_printer.h"
#include "pkvm/hypercall.h"
#include "pkvm/smccc.h"
#include "support/file.h"

namespace pkvmemu::test {
namespace {

using testing::Contains;
using testing::HasSubstr;
namespace ffa = pkvm::ffa;
namespace layout = pkvm::ffa::descriptor;

class FfaOfTheHost : public OpsRun {
 protected:
  static constexpr std::uint64_t tx = 0x5000'0000, rx = 0x5000'1000;
  static constexpr std::uint64_t shared = 0x5001'0000, alone = 0x5003'0000;
  static constexpr std::uint64_t shared_pages = 2;
  static constexpr std::uint64_t handle = 0x77;

  static std::uint32_t version() {
    return is_since(pkvm::Generation::android15_6_6) ? ffa::version_1_1 : ffa::version_1_0;
  }
  static std::string version_text() { return version() == ffa::version_1_1 ? "1.1" : "1.0"; }

  /// Two pages at `shared` and one at `alone`, for partition 0x8001, in the host's buffer.
  std::size_t descriptor() {
    const std::size_t header = layout::header_size(version());
    const std::size_t composite = header + layout::receiver_size;
    std::vector<std::byte> bytes(composite + layout::composite_size + (2 * layout::range_size));
    const auto put = [&](std::size_t at, auto value) {
      std::memcpy(&bytes[at], &value, sizeof value);
    };
    put(layout::receiver_count, std::uint32_t{1});
    put(header, std::uint16_t{0x8001});
    put(header + layout::ranges_of_receiver, static_cast<std::uint32_t>(composite));
    put(composite, static_cast<std::uint32_t>(shared_pages + 1));
    put(composite + layout::composite_count, std::uint32_t{2});
    const std::size_t ranges = composite + layout::composite_size;
    put(ranges, shared);
    put(ranges + layout::range_pages, static_cast<std::uint32_t>(shared_pages));
    put(ranges + layout::range_size, alone);
    put(ranges + layout::range_size + layout::range_pages, std::uint32_t{1});
    const auto file = scratch_.path() / "descriptor.bin";
    EXPECT_TRUE(write_file(
        file, std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size())));
    option("--mem", fmt::format("{:#x}={}", tx, file.string()));
    return bytes.size();
  }
  void secure_world(std::string_view text) {
    const auto file = scratch_.path() / "secure.yaml";
    ASSERT_TRUE(write_file(file, text));
    option("--el3", file.string());
  }
  void connect() {
    smc(ffa::version, {version()});
    smc(ffa::rxtx_map, {tx, rx, 1});
  }
  /// Whether the host can share a page with the hypervisor, which it cannot of one that EL3 has.
  std::size_t share_with_hyp(std::uint64_t page) {
    return hvc(pkvm::smccc::kvm_host_id(
                   *pkvm::hypercall_number(id(), pkvm::Hypercall::pkvm_host_share_hyp)),
               {page >> 12});
  }

 private:
  ScratchDirectory scratch_;
};
INSTANTIATE_TEST_SUITE_P(Generations, FfaOfTheHost, testing::ValuesIn(pkvm::generations),
                         generation_name);

// Memory that is shared with the secure world is nobody else's until it is reclaimed, and then the
// host's own again: EL3's list says what, in as many parts as it takes.
TEST_P(FfaOfTheHost, SharedMemoryComesBack) {
  secure_world(
      fmt::format("ffa: {{version: {}, handle: {:#x}, fragment: 64}}", version_text(), handle));
  const std::size_t size = descriptor();
  connect();
  const auto given = smc(ffa::mem_share, {size, size});
  const auto while_shared = share_with_hyp(shared + 0x1000);
  const auto twice = smc(ffa::mem_share, {size, size});
  const auto unknown = smc(ffa::mem_reclaim, {handle + 5});
  const auto reclaimed = smc(ffa::mem_reclaim, {handle});
  const auto first = share_with_hyp(shared);
  const auto second = share_with_hyp(shared + 0x1000);
  const auto third = share_with_hyp(alone);
  const auto again = smc(ffa::mem_reclaim, {handle});
  run_on_our_machine();
  EXPECT_EQ(x(given, 0), ffa::success);
  EXPECT_EQ(x(given, 2), handle);
  EXPECT_EQ(answer(while_shared), eperm);
  EXPECT_EQ(static_cast<std::int64_t>(x(twice, 2)), static_cast<int>(ffa::Error::denied));
  EXPECT_EQ(static_cast<std::int64_t>(x(unknown, 2)),
            static_cast<int>(ffa::Error::invalid_parameters));
  EXPECT_EQ(x(reclaimed, 0), ffa::success);
  for (const auto each : {first, second, third})
    EXPECT_EQ(answer(each), 0);
  EXPECT_EQ(x(again, 0), ffa::error);
  EXPECT_THAT(console(), testing::Not(Contains(HasSubstr("panic"))));
  test::holds("7.6/ffa", id(), HeldOn::machine);
}

// A script that answers by itself writes the list to the hypervisor's buffer: what it says is given
// back, no more.
TEST_P(FfaOfTheHost, AScriptTellsWhatIsReclaimed) {
  const std::size_t header = layout::header_size(version());
  const std::size_t composite = header + layout::receiver_size;
  secure_world(fmt::format(
      R"(
ffa: {}
calls:
  - id: {:#x}
    answer: [{:#x}, {}, {}]
    writes:
      - {{to: rx, offset: {}, width: 32, values: [{}]}}
      - {{to: rx, offset: {}, width: 32, values: [1, 1]}}
      - {{to: rx, offset: {}, values: [{:#x}, 1]}}
  - {{id: {:#x}, answer: {:#x}}}
)",
      version_text(), ffa::mem_retrieve_req, ffa::mem_retrieve_resp,
      composite + layout::composite_size + layout::range_size,
      composite + layout::composite_size + layout::range_size, header + layout::ranges_of_receiver,
      composite, composite, composite + layout::composite_size, alone, ffa::mem_reclaim,
      ffa::success));
  const std::size_t size = descriptor();
  connect();
  smc(ffa::mem_share, {size, size});
  const auto reclaimed = smc(ffa::mem_reclaim, {handle});
  const auto told = share_with_hyp(alone);
  const auto not_told = share_with_hyp(shared);
  run_on_our_machine();
  EXPECT_EQ(x(reclaimed, 0), ffa::success);
  EXPECT_EQ(answer(told), 0);
  EXPECT_EQ(answer(not_told), eperm) << "still the secure world's, too";
}

}  // namespace
}  // namespace pkvmemu::test
