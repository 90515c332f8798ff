// SPDX-License-Identifier: GPL-2.0-only
// A secure world with FF-A, as a hypervisor calls it.
#include "device/ffa_firmware.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace pkvmemu::device {
namespace {

namespace ffa = pkvm::ffa;
namespace layout = pkvm::ffa::descriptor;
using Words = FfaFirmware::Words;

constexpr std::uint16_t partition = 0x8001;
constexpr std::size_t header = layout::header_size(ffa::version_1_1);

std::uint64_t error_of(const Words& x) {
  return x[0] == ffa::error ? x[2] : 0;
}
std::uint64_t number_of(ffa::Error error) {
  return static_cast<std::uint64_t>(std::int64_t{static_cast<int>(error)});
}

/// Two pages of RAM: what is sent is in the first, what comes in the second.
class FfaFirmwareTest : public testing::Test {
 protected:
  static constexpr Pa tx{0}, rx{ffa::page_size};

  Words call(const Words& x) { return firmware_.call(x).value_or(Words{}); }
  void start(std::uint32_t version = ffa::version_1_1) {
    ASSERT_EQ(call({ffa::version, version})[0], ffa::version_1_1);
    ASSERT_EQ(call({ffa::rxtx_map, tx.value, rx.value, 1})[0], ffa::success);
  }
  template <typename T>
  void put(std::size_t at, T value) {
    std::memcpy(&ram_[at], &value, sizeof value);
  }
  /// `size` bytes of a descriptor for `receiver`, in the first page.
  void write_descriptor(std::uint16_t receiver, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i)
      ram_[i] = static_cast<std::byte>(i);
    put(layout::receiver_count, std::uint32_t{1});
    put(header, receiver);
  }
  Words share(std::size_t size) {
    write_descriptor(partition, size);
    return call({ffa::mem_share, size, size});
  }
  Words retrieve(std::uint64_t handle) {
    std::ranges::fill_n(ram_.begin(), header, std::byte{0});
    put(layout::handle, handle);
    return call({ffa::mem_retrieve_req, header, header});
  }

  std::vector<std::byte> ram_ = std::vector<std::byte>(2 * ffa::page_size);
  FfaFirmware firmware_{
      {.version = ffa::version_1_1,
       .largest_fragment = 64,
       .first_handle = 0x1'0000'0005,
       .partitions = {{.id = partition, .uuid = {1, 2, 3, 4}}, {.id = 0x8002, .uuid = {5}}}},
      {.read = [this](Pa at, std::uint64_t size) -> std::optional<std::vector<std::byte>> {
         if (at.value + size > ram_.size()) return std::nullopt;
         const auto first = ram_.begin() + static_cast<std::ptrdiff_t>(at.value);
         return std::vector(first, first + static_cast<std::ptrdiff_t>(size));
       },
       .write =
           [this](Pa at, std::span<const std::byte> bytes) {
             if (at.value + bytes.size() > ram_.size()) return false;
             std::ranges::copy(bytes, ram_.begin() + static_cast<std::ptrdiff_t>(at.value));
             return true;
           }}};
};

// Numbers outside FF-A's are somebody else's; of those inside, unknown ones are NOT_SUPPORTED.
TEST_F(FfaFirmwareTest, OnlyItsOwnNumbersAreAnswered) {
  EXPECT_FALSE(firmware_.call({0x8400'0000}));
  EXPECT_FALSE(firmware_.call({0xc200'0001}));
  EXPECT_EQ(error_of(call({0x8400'006d})), number_of(ffa::Error::not_supported));
  EXPECT_EQ(call({ffa::features, ffa::mem_share})[0], ffa::success);
  EXPECT_EQ(error_of(call({ffa::features, ffa::mem_donate})), number_of(ffa::Error::not_supported));
}

// Its own version is the answer to any of the same major number.
TEST_F(FfaFirmwareTest, AVersionIsAgreedOn) {
  EXPECT_EQ(call({ffa::version, 0x2'0000})[0], number_of(ffa::Error::not_supported));
  EXPECT_EQ(call({ffa::version, ffa::version_1_0})[0], ffa::version_1_1);
  EXPECT_EQ(call({ffa::id_get})[2], ffa::host_id);
}

// One pair of buffers, in RAM, of a page each.
TEST_F(FfaFirmwareTest, BuffersAreMappedOnce) {
  const auto invalid = number_of(ffa::Error::invalid_parameters);
  EXPECT_EQ(error_of(call({ffa::rxtx_map, 8, rx.value, 1})), invalid);
  EXPECT_EQ(error_of(call({ffa::rxtx_map, tx.value, 0x10'0000, 1})), invalid);
  EXPECT_EQ(error_of(call({ffa::rxtx_map, tx.value, rx.value, 2})), invalid);
  EXPECT_EQ(error_of(call({ffa::rxtx_unmap, 0})), invalid);
  start();
  EXPECT_EQ(error_of(call({ffa::rxtx_map, tx.value, rx.value, 1})), number_of(ffa::Error::denied));
  EXPECT_EQ(call({ffa::rxtx_unmap, 0})[0], ffa::success);
  EXPECT_EQ(error_of(share(128)), invalid) << "where from";
}

// What was shared is told by its handle, part by part; each part has to be released before the
// next, and a reclaim ends it.
TEST_F(FfaFirmwareTest, ASharedRegionIsToldUntilItIsReclaimed) {
  start();
  const Words shared = share(160);
  ASSERT_EQ(shared[0], ffa::success);
  EXPECT_EQ(shared[2], 5U);
  EXPECT_EQ(shared[3], 1U) << "the handle's upper half";
  EXPECT_EQ(error_of(retrieve(6)), number_of(ffa::Error::invalid_parameters));

  EXPECT_THAT(retrieve(0x1'0000'0005),
              testing::ElementsAre(ffa::mem_retrieve_resp, 160, 64, 0, 0, 0, 0, 0));
  EXPECT_EQ(ram_[rx.value + 40], std::byte{40});
  EXPECT_EQ(error_of(call({ffa::mem_frag_rx, 5, 1, 64})), number_of(ffa::Error::busy));
  EXPECT_EQ(call({ffa::rx_release})[0], ffa::success);
  EXPECT_EQ(error_of(call({ffa::rx_release})), number_of(ffa::Error::denied));
  EXPECT_THAT(call({ffa::mem_frag_rx, 5, 1, 128}),
              testing::ElementsAre(ffa::mem_frag_tx, 5, 1, 32, 0, 0, 0, 0));
  EXPECT_EQ(ram_[rx.value], std::byte{128});

  EXPECT_EQ(call({ffa::mem_reclaim, 5, 1})[0], ffa::success);
  EXPECT_EQ(error_of(call({ffa::mem_reclaim, 5, 1})), number_of(ffa::Error::invalid_parameters));
}

// A long descriptor comes in fragments; one that is too long ends the transaction.
TEST_F(FfaFirmwareTest, FragmentsAreAskedFor) {
  start();
  write_descriptor(partition, 96);
  EXPECT_THAT(call({ffa::mem_lend, 128, 96}),
              testing::ElementsAre(ffa::mem_frag_rx, 5, 1, 96, 0, 0, 0, 0));
  EXPECT_EQ(error_of(retrieve(0x1'0000'0005)), number_of(ffa::Error::invalid_parameters))
      << "not all of it is there";
  EXPECT_EQ(call({ffa::mem_frag_tx, 5, 1, 16})[3], 112U);
  EXPECT_EQ(call({ffa::mem_frag_tx, 5, 1, 16})[0], ffa::success);
  write_descriptor(partition, 96);
  call({ffa::mem_lend, 128, 96});
  EXPECT_EQ(error_of(call({ffa::mem_frag_tx, 6, 1, 48})),
            number_of(ffa::Error::invalid_parameters));
  EXPECT_EQ(error_of(call({ffa::mem_frag_tx, 6, 1, 32})),
            number_of(ffa::Error::invalid_parameters));
}

// Memory is taken for partitions that there are.
TEST_F(FfaFirmwareTest, AReceiverIsAPartition) {
  start();
  write_descriptor(0x8003, 128);
  EXPECT_EQ(error_of(call({ffa::mem_share, 128, 128})), number_of(ffa::Error::invalid_parameters));
  write_descriptor(0x8002, 128);
  EXPECT_EQ(call({ffa::mem_share, 128, 128})[0], ffa::success);
}

// It keeps 1024 regions, of 64 KiB of description each.
TEST_F(FfaFirmwareTest, ItsMemoryHasAnEnd) {
  start();
  const auto no_memory = number_of(ffa::Error::no_memory);
  EXPECT_EQ(error_of(call({ffa::mem_share, 0x1'0001, 128})), no_memory);
  for (int i = 0; i < 1024; ++i)
    ASSERT_EQ(share(128)[0], ffa::success) << i;
  EXPECT_EQ(error_of(share(128)), no_memory);
  EXPECT_EQ(call({ffa::mem_reclaim, 5, 1})[0], ffa::success);
  EXPECT_EQ(share(128)[0], ffa::success);
}

// Partitions are listed by UUID or all, with their size from 1.1 on, or counted.
TEST_F(FfaFirmwareTest, PartitionsAreListed) {
  start();
  EXPECT_EQ(error_of(call({ffa::partition_info_get, 9})),
            number_of(ffa::Error::invalid_parameters));
  EXPECT_EQ(call({ffa::partition_info_get, 0, 0, 0, 0, ffa::only_count})[2], 2U);
  const Words one = call({ffa::partition_info_get, 1, 2, 3, 4});
  EXPECT_EQ(one[2], 1U);
  EXPECT_EQ(one[3], ffa::partition_size);
  EXPECT_EQ(ram_[rx.value], std::byte{partition & 0xff});
  EXPECT_EQ(ram_[rx.value + 8], std::byte{1});
  EXPECT_EQ(error_of(call({ffa::partition_info_get})), number_of(ffa::Error::busy));
}

// A state that is come back to has its regions and buffers.
TEST_F(FfaFirmwareTest, AStateIsComeBackTo) {
  start();
  share(128);
  const FfaFirmware::State saved = firmware_.save();
  EXPECT_EQ(call({ffa::mem_reclaim, 5, 1})[0], ffa::success);
  call({ffa::rxtx_unmap, 0});
  firmware_.restore(saved);
  EXPECT_EQ(call({ffa::mem_reclaim, 5, 1})[0], ffa::success);
  EXPECT_EQ(call({ffa::rxtx_unmap, 0})[0], ffa::success);
}

}  // namespace
}  // namespace pkvmemu::device
