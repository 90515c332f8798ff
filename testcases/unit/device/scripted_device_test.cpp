// SPDX-License-Identifier: GPL-2.0-only
// Scripted registers: what each access answers, whatever its size and place.
#include "device/scripted_device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pkvmemu::device {
namespace {

using testing::ElementsAre;

constexpr Pa base{0x1000'0000};

RegionScript region(std::vector<RegisterScript> registers, Rest rest = Rest::zero) {
  return {.name = "device",
          .base = base,
          .size = 0x1000,
          .registers = std::move(registers),
          .rest = rest};
}

std::vector<std::uint64_t> reads(ScriptedDevice& device, unsigned count, std::uint64_t offset = 0) {
  std::vector<std::uint64_t> values;
  for (unsigned i = 0; i < count; ++i)
    values.push_back(device.read(offset, 4));
  return values;
}

// Memory keeps every byte that is written, at any size and place; what was never written is 0.
TEST(ScriptedDevice, MemoryKeepsBytes) {
  ScriptedDevice device(region({}, Rest::ram), {});
  device.write(0xffe, 4, 0x44332211);
  EXPECT_EQ(device.read(0xffe, 2), 0x2211U);
  EXPECT_EQ(device.read(0xfff, 1), 0x22U);
  EXPECT_EQ(device.read(0x10, 4), 0U);
}

// A region of zeros takes writes and forgets them.
TEST(ScriptedDevice, ZeroForgets) {
  ScriptedDevice device(region({}), {});
  device.write(8, 4, ~std::uint64_t{0});
  EXPECT_EQ(device.read(8, 4), 0U);
  EXPECT_EQ(device.use().writes, 1U);
}

// A sequence gives its values in turn, each so often; then the last one, all anew, or what is kept.
TEST(ScriptedDevice, SequencesGoOnAsTheySay) {
  const std::vector<ReadStep> steps = {{.value = 1}, {.value = 2, .times = 2}};
  ScriptedDevice last(region({{.reads = steps}}), {});
  EXPECT_THAT(reads(last, 5), ElementsAre(1, 2, 2, 2, 2));
  ScriptedDevice repeat(region({{.reads = steps, .then = AfterLast::repeat}}), {});
  EXPECT_THAT(reads(repeat, 5), ElementsAre(1, 2, 2, 1, 2));
  ScriptedDevice stored(region({{.reset = 9, .reads = steps, .then = AfterLast::stored}}), {});
  EXPECT_THAT(reads(stored, 5), ElementsAre(1, 2, 2, 9, 9));
  stored.write(0, 4, 7);
  EXPECT_THAT(reads(stored, 1), ElementsAre(7));
}

// A register of 64 bits is one item, though the bus brings its halves apart; the upper half alone
// sees the item that was taken last, and takes none.
TEST(ScriptedDevice, HalvesOfOneItemBelongTogether) {
  ScriptedDevice device(
      region({{.size = 8, .reads = {{.value = 0x1'0000'0002}, {.value = 0x3'0000'0004}}}}), {});
  EXPECT_EQ(device.read(4, 4), 1U);
  EXPECT_THAT((std::vector{device.read(0, 4), device.read(4, 4), device.read(4, 4)}),
              ElementsAre(2, 1, 1));
  EXPECT_THAT((std::vector{device.read(0, 4), device.read(4, 4)}), ElementsAre(4, 3));
}

// A write changes the bits that are writable, within the bytes that it has; writing 1 clears what
// is cleared so, and nothing else.
TEST(ScriptedDevice, MasksDecideWhatAWriteChanges) {
  ScriptedDevice masked(region({{.reset = 0xf0f0, .writable = 0x0ff0}}), {});
  masked.write(0, 4, 0xaaaa'aaaa);
  EXPECT_EQ(masked.read(0, 4), 0xfaa0U);
  ScriptedDevice narrow(region({{.reset = 0x1122'3344}}), {});
  narrow.write(1, 1, 0xff);
  EXPECT_EQ(narrow.read(0, 4), 0x1122'ff44U);
  ScriptedDevice status(region({{.reset = 0xff, .clears = 0x0f}}), {});
  status.write(0, 4, 0x3);
  EXPECT_EQ(status.read(0, 4), 0xcU) << "0xf0 was written as 0, and bits 0 and 1 were cleared";
}

// A write may set another register to a value or to what was written, only for some bits, and may
// begin its sequence again.
TEST(ScriptedDevice, WritesReachOtherRegisters) {
  ScriptedDevice device(
      region({{.offset = 0,
               .effects = {{.target = 1, .stores = true},
                           {.target = 2, .when = 0x1, .stores = true, .value = 0x55},
                           {.target = 3, .when = 0x2, .restarts = true}}},
              {.offset = 4, .writable = 0},
              {.offset = 8},
              {.offset = 12, .reads = {{.value = 1}, {.value = 2}}}}),
      {});
  EXPECT_THAT(reads(device, 2, 12), ElementsAre(1, 2));
  device.write(0, 4, 0x10);
  EXPECT_EQ(device.read(4, 4), 0x10U);
  EXPECT_EQ(device.read(8, 4), 0U);
  device.write(0, 4, 0x3);
  EXPECT_EQ(device.read(8, 4), 0x55U);
  EXPECT_THAT(reads(device, 2, 12), ElementsAre(1, 2));
}

// Write-only registers read as 0; read-only ones keep what they have.
TEST(ScriptedDevice, DirectionsHold) {
  ScriptedDevice device(region({{.offset = 0, .reset = 5, .reads_zero = true},
                                {.offset = 4, .reset = 6, .writable = 0}}),
                        {});
  device.write(0, 4, 1);
  device.write(4, 4, 1);
  EXPECT_EQ(device.read(0, 4), 0U);
  EXPECT_EQ(device.read(4, 4), 6U);
}

// An access over several registers, and over none at its end, is made of their bytes.
TEST(ScriptedDevice, WideAndUnalignedAccessesAreMadeOfBytes) {
  ScriptedDevice device(region({{.offset = 0, .size = 1, .reset = 0x11},
                                {.offset = 1, .size = 1, .reset = 0x22},
                                {.offset = 2, .size = 1, .reset = 0x33}}),
                        {});
  EXPECT_EQ(device.read(0, 4), 0x0033'2211U);
  EXPECT_EQ(device.read(1, 2), 0x3322U);
  device.write(1, 4, 0x0a0b'0c0d);
  EXPECT_EQ(device.read(0, 4), 0x000c'0d11U);
}

// Whoever has the last word on an answer is believed by the report, too.
TEST(ScriptedDevice, AnAnswerCanBeReplaced) {
  ScriptedDevice device(region({{.reset = 1}}), {.answer = [](Pa address, std::uint64_t value) {
                          return address == base ? value + 1 : value;
                        }});
  EXPECT_EQ(device.read(0, 4), 2U);
  EXPECT_EQ(device.use().registers.at(0).last_read, 2U);
}

// The report has each register, touched or not, and each offset without one that was accessed.
TEST(ScriptedDevice, AccessesAreCounted) {
  ScriptedDevice device(region({{.name = "A"}, {.name = "B", .offset = 4}}), {});
  device.write(0, 4, 3);
  device.read(0x20, 4);
  const RegionUse use = device.use();
  ASSERT_EQ(use.registers.size(), 3U);
  EXPECT_EQ(use.registers[0].writes, 1U);
  EXPECT_EQ(use.registers[0].last_written, 3U);
  EXPECT_EQ(use.registers[1].reads + use.registers[1].writes, 0U);
  EXPECT_EQ(use.registers[2].offset, 0x20U);
  EXPECT_FALSE(use.registers[2].is_scripted);
}

// What goes on from a restored state is what went on from the saved one, pages of memory included.
TEST(ScriptedDevice, AStateIsComeBackTo) {
  ScriptedDevice device(region({{.reads = {{.value = 1}, {.value = 2}, {.value = 3}}}}, Rest::ram),
                        {});
  device.write(0x100, 4, 0xaa);
  device.read(0, 4);
  const ScriptedDevice::State saved = device.save();
  EXPECT_EQ(device.read(0, 4), 2U);
  device.write(0x100, 4, 0xbb);
  device.write(0x200, 4, 0xcc);
  device.restore(saved);
  EXPECT_EQ(device.read(0, 4), 2U);
  EXPECT_EQ(device.read(0x100, 4), 0xaaU);
  EXPECT_EQ(device.read(0x200, 4), 0U);
  device.restore(saved);
  EXPECT_EQ(device.use().reads, 1U);
}

// A register that is logged is told of with its name, the others are not.
TEST(ScriptedDevice, LogsWhatItIsAskedTo) {
  std::vector<std::string> places;
  ScriptedDevice device(region({{.name = "A", .logged = true}, {.name = "B", .offset = 4}}),
                        {.answer = {}, .logged = [&](const std::string& place, const Access&) {
                           places.push_back(place);
                         }});
  device.read(0, 4);
  device.read(4, 4);
  EXPECT_THAT(places, ElementsAre("0x10000000+0x0 A"));
}

}  // namespace
}  // namespace pkvmemu::device
