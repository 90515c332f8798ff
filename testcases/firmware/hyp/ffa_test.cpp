// SPDX-License-Identifier: GPL-2.0-only
// FF-A between the host and a secure world that the tests play (pkvm-abi.md 7.6, 8.3).
#include "hyp/ffa.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <vector>

#include "harness/generation_printer.h"
#include "hyp/smc.h"
#include "world.h"

namespace pkvmemu::hyp::test {
namespace {

using pkvmemu::test::slug_of;

namespace ffa = pkvm::ffa;
namespace layout = pkvm::ffa::descriptor;
using pkvm::Generation;
using testing::Contains;
using testing::Not;

constexpr std::uint64_t minus_one = ~std::uint64_t{0};

/// EL3 with an FF-A: answers what it was told to, and keeps what it was asked.
struct SecureSide {
  std::map<std::uint32_t, std::array<std::uint64_t, 4>> answers;
  std::vector<std::uint32_t> asked;
  Pa rx{0};
  std::vector<std::uint8_t> retrieved;
  const World* world = nullptr;
};
SecureSide& secure() {
  static SecureSide instance;
  return instance;
}

void play(arch::SmcRegisters& x) {
  SecureSide& side = secure();
  const auto id = static_cast<std::uint32_t>(x[0]);
  side.asked.push_back(id);
  if (id == ffa::rxtx_map) side.rx = Pa{x[2]};
  if (id == ffa::mem_retrieve_req)
    std::ranges::copy(side.retrieved, side.world->hyp().linear.pointer<std::uint8_t>(side.rx));
  const auto found = side.answers.find(id);
  if (found == side.answers.end())
    x[0] = minus_one;
  else
    std::ranges::copy(found->second, x.begin());
}

class Ffa : public testing::TestWithParam<pkvm::GenerationInfo> {
 protected:
  static constexpr Pa tx = host_page(10), rx = host_page(11), shared = host_page(20);

  Ffa() : world_(GetParam().id) {
    secure() = {};
    secure().world = &world_;
    arch::fake::state().monitor = play;
  }

  static bool is(Generation generation) { return GetParam().id == generation; }
  static bool negotiates() { return !is(Generation::android14_6_1); }
  static std::uint32_t own_version() { return negotiates() ? ffa::version_1_1 : ffa::version_1_0; }

  static void secure_world_is_there() {
    secure().answers = {
        {ffa::version, {own_version()}},          {ffa::id_get, {ffa::success}},
        {ffa::features, {ffa::success}},          {ffa::rxtx_map, {ffa::success}},
        {ffa::rxtx_unmap, {ffa::success}},        {ffa::mem_share, {ffa::success, 0, 0x77}},
        {ffa::mem_lend, {ffa::success, 0, 0x77}}, {ffa::mem_reclaim, {ffa::success}}};
  }

  /// As the host makes it: x0 to x3 of the answer.
  std::array<std::uint64_t, 4> smc(std::uint64_t x0, std::vector<std::uint64_t> arguments = {}) {
    user_pt_regs regs{};
    regs.regs[0] = x0;
    std::ranges::copy(arguments, regs.regs + 1);
    handle_smc(&regs, 0);
    return {regs.regs[0], regs.regs[1], regs.regs[2], regs.regs[3]};
  }
  void negotiate() {
    if (negotiates()) smc(ffa::version, {own_version()});
  }
  void map() {
    negotiate();
    ASSERT_EQ(smc(ffa::rxtx_map, {tx.value, rx.value, 1})[0], ffa::success);
  }
  PageState state(Pa page) const { return world_.ownership().host_state(page); }
  std::uint8_t* memory(Pa page) const { return world_.hyp().linear.pointer<std::uint8_t>(page); }

  /// A descriptor of one page for each address.
  static std::vector<std::uint8_t> descriptor(const std::vector<Pa>& pages) {
    const std::size_t header = layout::header_size(own_version());
    const std::size_t composite = header + layout::receiver_size;
    std::vector<std::uint8_t> bytes(composite + layout::composite_size +
                                    (pages.size() * layout::range_size));
    const auto put = [&](std::size_t at, auto value) {
      std::memcpy(&bytes[at], &value, sizeof value);
    };
    put(layout::receiver_count, std::uint32_t{1});
    put(header + layout::ranges_of_receiver, static_cast<std::uint32_t>(composite));
    put(composite + layout::composite_count, static_cast<std::uint32_t>(pages.size()));
    for (std::size_t i = 0; i < pages.size(); ++i) {
      const std::size_t range = composite + layout::composite_size + (i * layout::range_size);
      put(range, pages[i].value);
      put(range + layout::range_pages, std::uint32_t{1});
    }
    return bytes;
  }
  std::array<std::uint64_t, 4> send(std::uint32_t id, const std::vector<std::uint8_t>& bytes) {
    std::ranges::copy(bytes, memory(tx));
    return smc(id, {bytes.size(), bytes.size()});
  }

  World world_;
};

std::array<std::uint64_t, 4> ffa_error(ffa::Error error) {
  return {ffa::error, 0, static_cast<std::uint64_t>(std::int64_t{static_cast<int>(error)}), 0};
}

INSTANTIATE_TEST_SUITE_P(Generations, Ffa, testing::ValuesIn(pkvm::generations),
                         [](const auto& instance) { return slug_of(instance.param); });

/// 6.1 passes on what the host asks about versions and partitions.
class LaterFfa : public Ffa {};
INSTANTIATE_TEST_SUITE_P(Generations, LaterFfa,
                         testing::Values(pkvm::info(Generation::android15_6_6),
                                         pkvm::info(Generation::android16_6_12)),
                         [](const auto& instance) { return slug_of(instance.param); });

// Without FF-A at EL3, 6.1 leaves VERSION to the others; later ones answer it themselves, and every
// other call of the range is refused until a version is agreed on.
TEST_P(Ffa, WithoutFirmwareNothingIsNegotiated) {
  EXPECT_EQ(smc(ffa::version, {own_version()})[0], minus_one);
  EXPECT_EQ(smc(ffa::id_get)[0], negotiates() ? ffa::error : minus_one);
  const auto map = smc(ffa::rxtx_map, {tx.value, rx.value, 1});
  EXPECT_EQ(map,
            ffa_error(negotiates() ? ffa::Error::invalid_parameters : ffa::Error::not_supported));
  EXPECT_EQ(state(tx), PageState::owned);
  EXPECT_EQ(smc(ffa::mem_reclaim, {1})[0], ffa::error);
}

// The lower of both versions is agreed on, and stays; a host of another major version is refused.
TEST_P(LaterFfa, TheLowerVersionIsAgreedOn) {
  secure_world_is_there();
  EXPECT_EQ(smc(ffa::version, {0x2'0000})[0], minus_one);
  EXPECT_EQ(smc(ffa::version, {0x1'0005}), (std::array<std::uint64_t, 4>{ffa::version_1_1}));
  EXPECT_EQ(smc(ffa::version, {ffa::version_1_0})[0],
            is(Generation::android16_6_12) ? minus_one : ffa::version_1_1);
}

// An older secure world is agreed on; one whose id for us is not 0, or that wants larger buffers,
// is not used.
TEST_P(LaterFfa, TheSecureWorldHasToFit) {
  secure_world_is_there();
  secure().answers[ffa::version] = {ffa::version_1_0};
  secure().answers[ffa::id_get] = {ffa::success, 0, 5};
  EXPECT_EQ(smc(ffa::version, {ffa::version_1_1})[0], minus_one);
  secure().answers[ffa::id_get] = {ffa::success};
  secure().answers[ffa::features] = {ffa::success, 0, 1};
  EXPECT_EQ(smc(ffa::version, {ffa::version_1_1})[0], minus_one);
  secure().answers[ffa::features] = {ffa::success};
  EXPECT_EQ(smc(ffa::version, {ffa::version_1_1})[0], ffa::version_1_0);
}

// What only a receiver of memory needs, messages by buffers, and 32-bit forms end at the
// hypervisor; a direct request of 32 bits was among them in 6.1.
TEST_P(Ffa, SomeCallsAreNoHosts) {
  secure_world_is_there();
  negotiate();
  secure().asked.clear();
  for (const std::uint32_t id : {ffa::mem_retrieve_req, ffa::mem_relinquish, ffa::mem_donate,
                                 ffa::msg_send, ffa::rxtx_map32})
    EXPECT_EQ(smc(id), ffa_error(ffa::Error::not_supported)) << std::hex << id;
  EXPECT_EQ(smc(ffa::features, {ffa::mem_donate}), ffa_error(ffa::Error::not_supported));
  EXPECT_EQ(smc(ffa::features, {ffa::mem_share})[0], ffa::success);
  EXPECT_TRUE(secure().asked.empty());
  smc(ffa::direct_request32);
  EXPECT_EQ(secure().asked.size(), negotiates() ? 1U : 0U);
}

// From 6.12 on the host sends direct messages in nobody else's name.
TEST_P(Ffa, DirectMessagesNameTheirSender) {
  secure_world_is_there();
  negotiate();
  secure().asked.clear();
  const auto forged = smc(ffa::direct_request, {0x5'8001});
  const bool checks = is(Generation::android16_6_12);
  EXPECT_EQ(secure().asked.size(), checks ? 0U : 1U);
  if (checks) EXPECT_EQ(forged, ffa_error(ffa::Error::invalid_parameters));
  smc(ffa::direct_request, {0x8001});
  EXPECT_THAT(secure().asked, Contains(ffa::direct_request));
}

// The host's buffers are the hypervisor's to read while they are mapped: shared, pinned, and free
// again after the unmap. EL3 gets the hypervisor's own.
TEST_P(Ffa, BuffersAreSharedWhileMapped) {
  secure_world_is_there();
  negotiate();
  EXPECT_EQ(smc(ffa::rxtx_map, {tx.value + 8, rx.value, 1}),
            ffa_error(ffa::Error::invalid_parameters));
  EXPECT_EQ(smc(ffa::rxtx_map, {tx.value, rx.value, 2}), ffa_error(ffa::Error::invalid_parameters));
  map();
  EXPECT_EQ(state(tx), PageState::shared_owned);
  EXPECT_NE(secure().rx, rx);
  EXPECT_FALSE(world_.ownership().host_unshare_hyp(frame(tx))) << "pinned";
  EXPECT_EQ(smc(ffa::rxtx_map, {tx.value, rx.value, 1}), ffa_error(ffa::Error::denied));
  EXPECT_EQ(smc(ffa::rxtx_unmap, {1}), ffa_error(ffa::Error::invalid_parameters));
  EXPECT_EQ(smc(ffa::rxtx_unmap)[0], ffa::success);
  EXPECT_EQ(state(tx), PageState::owned);
  EXPECT_EQ(state(rx), PageState::owned);
  EXPECT_EQ(smc(ffa::rxtx_unmap), ffa_error(ffa::Error::invalid_parameters));
}

// A buffer that is not the host's own undoes the whole call.
TEST_P(Ffa, ABufferThatIsNotTheHostsUndoesTheMap) {
  secure_world_is_there();
  negotiate();
  EXPECT_EQ(smc(ffa::rxtx_map, {tx.value, pool_begin.value, 1}),
            ffa_error(ffa::Error::invalid_parameters));
  EXPECT_EQ(state(tx), PageState::owned);
  EXPECT_THAT(secure().asked, Contains(ffa::rxtx_unmap));
}

// Memory that the host shares or lends is SHARED_OWNED, so that no guest and no hypervisor gets it,
// until EL3 has given it back.
TEST_P(Ffa, SharedMemoryComesBackByReclaim) {
  secure_world_is_there();
  map();
  const auto bytes = descriptor({shared, host_page(30)});
  EXPECT_EQ(send(ffa::mem_lend32, bytes)[2], 0x77U);
  EXPECT_THAT(secure().asked, Contains(ffa::mem_lend)) << "in its 64-bit form";
  for (const Pa page : {shared, host_page(30)})
    EXPECT_EQ(state(page), PageState::shared_owned);
  EXPECT_FALSE(world_.ownership().host_donate_hyp(frame(shared), 1, Accept::memory_only, prot_rw));

  secure().retrieved = bytes;
  secure().answers[ffa::mem_retrieve_req] = {ffa::mem_retrieve_resp, bytes.size(), bytes.size()};
  EXPECT_EQ(smc(ffa::mem_reclaim, {0x77})[0], ffa::success);
  for (const Pa page : {shared, host_page(30)})
    EXPECT_EQ(state(page), PageState::owned);
}

// A page that is not the host's own ends the call before EL3 hears of it, and the others stay.
TEST_P(Ffa, NothingIsSharedWhenOnePageCannotBe) {
  secure_world_is_there();
  map();
  EXPECT_EQ(send(ffa::mem_share, descriptor({shared, pool_begin})), ffa_error(ffa::Error::denied));
  EXPECT_EQ(state(shared), PageState::owned);
  EXPECT_THAT(secure().asked, Not(Contains(ffa::mem_share)));
}

// What EL3 refuses is the host's own again.
TEST_P(Ffa, ARefusalOfEl3TakesTheShareBack) {
  secure_world_is_there();
  secure().answers[ffa::mem_share] = ffa_error(ffa::Error::denied);
  map();
  EXPECT_EQ(send(ffa::mem_share, descriptor({shared})), ffa_error(ffa::Error::denied));
  EXPECT_EQ(state(shared), PageState::owned);
}

// Descriptors that make no sense are refused: too short, in another's name, for two receivers, with
// ranges outside or in part.
TEST_P(Ffa, DescriptorsAreLookedAt) {
  secure_world_is_there();
  map();
  const auto good = descriptor({shared});
  const std::size_t header = layout::header_size(own_version());
  const auto with = [&](std::size_t at, std::uint8_t value) {
    auto bytes = good;
    bytes[at] = value;
    return bytes;
  };
  const auto too_short = std::vector(good.begin(), good.begin() + 40);
  const auto in_part = std::vector(good.begin(), good.end() - 4);
  const std::vector<std::vector<std::uint8_t>> bad = {
      too_short,
      in_part,
      with(layout::sender, 1),
      with(layout::receiver_count, 2),
      with(header + layout::ranges_of_receiver, 0),
      with(header + layout::ranges_of_receiver + 3, 0xff)};
  for (const auto& bytes : bad)
    EXPECT_EQ(send(ffa::mem_share, bytes), ffa_error(ffa::Error::invalid_parameters));
  EXPECT_EQ(smc(ffa::mem_share, {8192, 4096}), ffa_error(ffa::Error::no_memory));
  EXPECT_EQ(smc(ffa::mem_share, {64, 64, 0x1000}), ffa_error(ffa::Error::invalid_parameters));
  EXPECT_EQ(state(shared), PageState::owned);
  EXPECT_EQ(send(ffa::mem_share, good)[0], ffa::success);
}

// The rest of a long list comes by fragments, each of which EL3 asks for.
TEST_P(Ffa, FragmentsFollow) {
  secure_world_is_there();
  map();
  const auto bytes = descriptor({shared, host_page(30)});
  const std::size_t first = bytes.size() - layout::range_size;
  secure().answers[ffa::mem_share] = {ffa::mem_frag_rx, 0x77, 0, first};
  std::ranges::copy(bytes, memory(tx));
  EXPECT_EQ(smc(ffa::mem_share, {bytes.size(), first})[0], ffa::mem_frag_rx);
  EXPECT_EQ(state(shared), PageState::shared_owned);
  EXPECT_EQ(state(host_page(30)), PageState::owned);
  secure().answers[ffa::mem_frag_tx] = {ffa::success, 0, 0x77};
  std::copy(bytes.begin() + static_cast<std::ptrdiff_t>(first), bytes.end(), memory(tx));
  EXPECT_EQ(smc(ffa::mem_frag_tx, {0x77, 0, 10}), ffa_error(ffa::Error::invalid_parameters));
  EXPECT_EQ(smc(ffa::mem_frag_tx, {0x77, 0, layout::range_size})[0], ffa::success);
  EXPECT_EQ(state(host_page(30)), PageState::shared_owned);
}

// The list of partitions comes to the host's buffer from ours; more than fits is ABORTED.
TEST_P(LaterFfa, PartitionsAreCopied) {
  secure_world_is_there();
  negotiate();
  EXPECT_EQ(smc(ffa::partition_info_get), ffa_error(ffa::Error::busy));
  map();
  std::ranges::fill_n(world_.hyp().linear.pointer<std::uint8_t>(secure().rx), 48, 0x5a);
  secure().answers[ffa::partition_info_get] = {ffa::success, 0, 2, 24};
  EXPECT_EQ(smc(ffa::partition_info_get)[2], 2U);
  EXPECT_EQ(memory(rx)[47], 0x5a);
  EXPECT_EQ(memory(rx)[48], 0);
  secure().answers[ffa::partition_info_get] = {ffa::success, 0, 200, 24};
  EXPECT_EQ(smc(ffa::partition_info_get), ffa_error(ffa::Error::aborted));
}

}  // namespace
}  // namespace pkvmemu::hyp::test
