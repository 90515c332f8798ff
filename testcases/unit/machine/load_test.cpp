// SPDX-License-Identifier: GPL-2.0-only
// What is put where before the first instruction, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

extern "C" {
#include <libfdt.h>
}

#include "guest_image.h"
#include "machine/image_header.h"
#include "machine/machine.h"
#include "machine/placement.h"

namespace pkvmemu::machine {
namespace {

using ::testing::HasSubstr;

template <typename T>
void put(Bytes& image, std::size_t offset, T value) {
  std::memcpy(image.data() + offset, &value, sizeof(value));
}

/// A 4 KiB image with a good header.
Bytes good_image() {
  Bytes image(4096);
  put<std::uint64_t>(image, 16, 4096);
  put<std::uint64_t>(image, 24, 0xa);
  put<std::uint32_t>(image, 56, 0x644d'5241);
  return image;
}

struct BadImage {
  std::string_view says;
  Bytes image;
};

// A good header is read; each bad one is refused with a message that says what is wrong.
TEST(ImageHeader, IsReadOrRefusedInWords) {
  ASSERT_TRUE(parse_image_header(good_image()));
  EXPECT_EQ(parse_image_header(good_image())->image_size, 4096U);
  std::vector<BadImage> bad(6, {"", good_image()});
  bad[0] = {"shorter than the 64-byte header", Bytes(63)};
  bad[1].says = "offset 56 holds";
  put<std::uint32_t>(bad[1].image, 56, 0);
  bad[2].says = "big-endian";
  put<std::uint64_t>(bad[2].image, 24, 1);
  bad[3].says = "64 KiB pages";
  put<std::uint64_t>(bad[3].image, 24, 6);
  bad[4].says = "ELF";
  put<std::uint32_t>(bad[4].image, 0, 0x464c'457f);
  bad[5].says = "damaged";
  put<std::uint64_t>(bad[5].image, 16, 100);
  for (const BadImage& one : bad) {
    const auto header = parse_image_header(one.image);
    ASSERT_FALSE(header) << one.says;
    EXPECT_THAT(header.error().message, HasSubstr(std::string(one.says)));
    EXPECT_THAT(Machine::create({.kernel = one.image}).error().message, HasSubstr("kernel: "));
  }
}

// QEMU's rules of placement: 2 MiB into RAM with text_offset 0, 512 KiB for images of old, the
// initrd at 128 MiB or half-way, the devicetree 2 MiB-aligned behind it or in its place.
TEST(Placement, IsQemus) {
  constexpr std::uint64_t gib = 1 << 30;
  EXPECT_EQ(kernel_address(0, 4096), Pa{0x4020'0000});
  EXPECT_EQ(kernel_address(0x8'0000, 4096), Pa{0x4008'0000});
  EXPECT_EQ(kernel_address(0, 0), Pa{0x4008'0000});
  EXPECT_EQ(initrd_address(gib), Pa{0x4800'0000});
  EXPECT_EQ(initrd_address(128 << 20), Pa{0x4400'0000});
  EXPECT_EQ(devicetree_address(gib, 0), Pa{0x4800'0000});
  EXPECT_EQ(devicetree_address(gib, 1), Pa{0x4820'0000});
  EXPECT_EQ(devicetree_address(gib, 2 << 20), Pa{0x4820'0000});
  EXPECT_EQ(devicetree_address(gib, (2 << 20) + 1), Pa{0x4840'0000});
}

// What does not fit is refused, and the message names both parties.
TEST(Load, WhatDoesNotFitIsRefused) {
  Bytes large = good_image();
  put<std::uint64_t>(large, 16, std::uint64_t{200} << 20);
  const Bytes initrd(4096);
  EXPECT_THAT(Machine::create({.kernel = large, .initrd = initrd}).error().message,
              HasSubstr("overlaps the initrd"));
  put<std::uint64_t>(large, 16, std::uint64_t{2} << 30);
  EXPECT_THAT(Machine::create({.kernel = large}).error().message, HasSubstr("do not fit"));
  put<std::uint64_t>(large, 16, ~std::uint64_t{0});
  EXPECT_FALSE(Machine::create({.kernel = large}));
  const Bytes image = good_image();
  const Bytes pvmfw((1 << 20) + 1);
  EXPECT_THAT(Machine::create({.kernel = image, .pvmfw = pvmfw}).error().message,
              HasSubstr("pVM firmware"));
  for (const std::uint64_t ram :
       {std::uint64_t{0}, std::uint64_t{1} << 20, (1UL << 30) + 4096, ~std::uint64_t{0}})
    EXPECT_FALSE(Machine::create({.kernel = image, .ram_size = ram})) << ram;
}

/// The devicetree of a machine that has not run yet, where x0 points.
class Tree {
 public:
  explicit Tree(Machine& machine) {
    const auto bytes = machine.memory(Pa{machine.x(0)}, 0x1'0000);
    EXPECT_TRUE(bytes);
    blob_ = bytes->data();
    EXPECT_EQ(fdt_check_full(blob_, 0x1'0000), 0);
  }
  std::string text(const char* path, const char* name) const {
    int length = 0;
    const void* data = fdt_getprop(blob_, fdt_path_offset(blob_, path), name, &length);
    return data == nullptr ? "" : std::string(static_cast<const char*>(data));
  }
  /// `index`-th 64-bit number of a property.
  std::uint64_t number(const char* path, const char* name, unsigned index) const {
    int length = 0;
    const void* data = fdt_getprop(blob_, fdt_path_offset(blob_, path), name, &length);
    if (data == nullptr || length < static_cast<int>(8 * (index + 1))) return ~std::uint64_t{0};
    return fdt64_ld(static_cast<const fdt64_t*>(data) + index);
  }
  bool has(const char* path) const { return fdt_path_offset(blob_, path) >= 0; }

 private:
  const void* blob_ = nullptr;
};

// The guest finds memory, UART, PSCI, arguments, initrd, firmware and event rings by the
// devicetree, and each where it really is.
TEST(Load, TheDevicetreeDescribesTheBoard) {
  const Bytes image = good_image();
  const Bytes initrd(5000, std::byte{0x69});
  const Bytes pvmfw(100, std::byte{0x70});
  auto machine =
      Machine::create({.kernel = image, .initrd = initrd, .pvmfw = pvmfw, .bootargs = "a=1 b"});
  ASSERT_TRUE(machine) << machine.error().message;
  EXPECT_EQ((*machine)->pc(), 0x4020'0000U);
  EXPECT_EQ((*machine)->x(1) | (*machine)->x(2) | (*machine)->x(3), 0U);
  const Tree tree(**machine);
  EXPECT_EQ(tree.text("/chosen", "bootargs"), "a=1 b");
  EXPECT_EQ(tree.text("/chosen", "stdout-path"), "/pl011@9000000");
  EXPECT_EQ(tree.text("/psci", "method"), "smc");
  EXPECT_EQ(tree.number("/memory@40000000", "reg", 0), 0x4000'0000U);
  EXPECT_EQ(tree.number("/memory@40000000", "reg", 1), 0x4000'0000U);
  EXPECT_EQ(tree.number("/pl011@9000000", "reg", 0), 0x0900'0000U);
  EXPECT_EQ(tree.number("/chosen", "linux,initrd-end", 0) -
                tree.number("/chosen", "linux,initrd-start", 0),
            5000U);
  const auto copy = (*machine)->memory(Pa{tree.number("/chosen", "linux,initrd-start", 0)}, 5000);
  ASSERT_TRUE(copy);
  EXPECT_TRUE(std::ranges::equal(*copy, initrd));
  const char* firmware = "/reserved-memory/pvmfw@7e000000";
  EXPECT_EQ(tree.text(firmware, "compatible"), "linux,pkvm-guest-firmware-memory");
  EXPECT_EQ(tree.number(firmware, "reg", 1), 0x10'0000U);
  EXPECT_EQ((*machine)->pvmfw_region().size(), 0x10'0000U);
  EXPECT_EQ((*machine)->pvmfw_region()[99], std::byte{0x70});
  EXPECT_TRUE(tree.has("/event-port@b000000"));
  EXPECT_TRUE(tree.has("/reserved-memory/event-ring@7e100000"));
}

// Without port and firmware nothing of them is there; QEMU's tree has the firmware and GICv3 only.
TEST(Load, WhatIsNotThereIsNotDescribed) {
  const Bytes image = good_image();
  auto machine = Machine::create({.kernel = image, .event_port = false});
  ASSERT_TRUE(machine);
  const Tree tree(**machine);
  EXPECT_FALSE(tree.has("/reserved-memory"));
  EXPECT_FALSE(tree.has("/event-port@b000000"));
  EXPECT_TRUE((*machine)->pvmfw_region().empty());

  const auto exported = device_tree_for_qemu(1 << 30, true);
  ASSERT_TRUE(exported);
  EXPECT_GE(fdt_path_offset(exported->data(), "/reserved-memory/pvmfw@7e000000"), 0);
  EXPECT_GE(fdt_path_offset(exported->data(), "/intc@8000000"), 0);
  EXPECT_LT(fdt_path_offset(exported->data(), "/event-port@b000000"), 0);
}

}  // namespace
}  // namespace pkvmemu::machine
