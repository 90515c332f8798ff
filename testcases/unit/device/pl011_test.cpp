// SPDX-License-Identifier: GPL-2.0-only
#include "device/pl011.h"

#include <gtest/gtest.h>

#include <string>

namespace pkvmemu::device {
namespace {

class Uart : public ::testing::Test {
 public:
  std::string sent_;
  Pl011 uart_{[this](char character) { sent_.push_back(character); }};
};

// What is written to DR is transmitted, the low byte of it, whatever the access size.
TEST_F(Uart, DataIsTransmitted) {
  uart_.write(0, 4, 'a' | 0x100);
  uart_.write(0, 1, 'b');
  EXPECT_EQ(sent_, "ab");
}

// The flags say: nothing received, never busy, never full; before and after transmission.
TEST_F(Uart, IsNeverBusyOrFull) {
  EXPECT_EQ(uart_.read(0x18, 4), 0x90U);
  uart_.write(0, 4, 'x');
  EXPECT_EQ(uart_.read(0x18, 4), 0x90U);
}

// Configuration registers keep what is written; FR and DR do not.
TEST_F(Uart, ConfigurationIsStorage) {
  for (const std::uint64_t offset : {0x24U, 0x28U, 0x2cU, 0x30U, 0x38U}) {
    uart_.write(offset, 4, 0x5a);
    EXPECT_EQ(uart_.read(offset, 4), 0x5aU) << offset;
  }
  uart_.write(0x18, 4, 0xff);
  EXPECT_EQ(uart_.read(0x18, 4), 0x90U);
  EXPECT_EQ(uart_.read(0, 4), 0U);
}

// The identification is that of a PL011, byte by byte.
TEST_F(Uart, IdentifiesItself) {
  EXPECT_EQ(uart_.read(0xfe0, 4), 0x11U);
  EXPECT_EQ(uart_.read(0xfe4, 4), 0x10U);
  EXPECT_EQ(uart_.read(0xffc, 4), 0xb1U);
}

// Offsets that are no register, odd ones among them, read 0 and swallow writes.
TEST_F(Uart, OtherOffsetsAreHarmless) {
  for (std::uint64_t offset = 0; offset < 0x1000; ++offset) {
    uart_.write(offset == 0 ? 1 : offset, 1, 0xff);
    uart_.read(offset, 8);
  }
  EXPECT_EQ(uart_.read(0x100, 4), 0U);
  EXPECT_EQ(uart_.read(0xfe1, 4), 0U);
  EXPECT_EQ(sent_, "");
}

}  // namespace
}  // namespace pkvmemu::device
