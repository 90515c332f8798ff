// SPDX-License-Identifier: GPL-2.0-only
// The devicetree reader on trees that libfdt makes, and on damaged ones.
#include "image/fdt.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <libfdt.h>

#include <vector>

namespace pkvmemu::image {
namespace {

using Blob = std::vector<std::byte>;

/// A tree like the board's: memory, chosen, reserved memory, a device with a parent of one cell.
Blob board() {
  Blob blob(4096);
  void* fdt = blob.data();
  const auto check = [](int status) {
    if (status < 0) throw std::runtime_error(fdt_strerror(status));
  };
  check(fdt_create(fdt, static_cast<int>(blob.size())));
  check(fdt_add_reservemap_entry(fdt, 0x8000'0000, 0x2000));
  check(fdt_finish_reservemap(fdt));
  check(fdt_begin_node(fdt, ""));
  check(fdt_property_u32(fdt, "#address-cells", 2));
  check(fdt_property_u32(fdt, "#size-cells", 2));
  check(fdt_property(fdt, "compatible", "pkvm,board\0linux,dummy-virt", 28));
  const auto reg = [&](std::uint64_t base, std::uint64_t size) {
    const std::uint64_t cells[2] = {cpu_to_fdt64(base), cpu_to_fdt64(size)};
    check(fdt_property(fdt, "reg", cells, sizeof(cells)));
  };
  check(fdt_begin_node(fdt, "memory@40000000"));
  check(fdt_property_string(fdt, "device_type", "memory"));
  reg(0x4000'0000, 0x1'4000'0000);
  check(fdt_end_node(fdt));
  check(fdt_begin_node(fdt, "chosen"));
  check(fdt_property_string(fdt, "bootargs", "kvm-arm.mode=protected quiet"));
  check(fdt_property_u32(fdt, "linux,initrd-start", 0x4800'0000));
  check(fdt_property_u64(fdt, "linux,initrd-end", 0x4800'1234));
  check(fdt_end_node(fdt));
  check(fdt_begin_node(fdt, "reserved-memory"));
  check(fdt_property_u32(fdt, "#address-cells", 2));
  check(fdt_property_u32(fdt, "#size-cells", 2));
  check(fdt_begin_node(fdt, "pvmfw@7e000000"));
  check(fdt_property_string(fdt, "compatible", "linux,pkvm-guest-firmware-memory"));
  check(fdt_property(fdt, "no-map", nullptr, 0));
  check(fdt_property_u32(fdt, "phandle", 7));
  reg(0x7e00'0000, 0x10'0000);
  check(fdt_end_node(fdt));
  check(fdt_end_node(fdt));
  check(fdt_begin_node(fdt, "bus"));
  check(fdt_property_u32(fdt, "#address-cells", 1));
  check(fdt_property_u32(fdt, "#size-cells", 1));
  check(fdt_begin_node(fdt, "uart@9000000"));
  check(fdt_property_string(fdt, "compatible", "arm,pl011"));
  check(fdt_property_string(fdt, "status", "disabled"));
  const std::uint32_t cells[4] = {cpu_to_fdt32(0x900'0000), cpu_to_fdt32(0x1000),
                                  cpu_to_fdt32(0xa00'0000), cpu_to_fdt32(0x2000)};
  check(fdt_property(fdt, "reg", cells, sizeof(cells)));
  check(fdt_end_node(fdt));
  check(fdt_end_node(fdt));
  check(fdt_end_node(fdt));
  check(fdt_finish(fdt));
  blob.resize(fdt_totalsize(fdt));
  return blob;
}

class Devicetree : public testing::Test {
 protected:
  Blob blob = board();
  Fdt fdt = *Fdt::open(blob);
};

// What boot needs: arguments and initrd, whose numbers may have one cell or two.
TEST_F(Devicetree, Chosen) {
  EXPECT_EQ(fdt.bootargs(), "kvm-arm.mode=protected quiet");
  EXPECT_EQ(fdt.initrd(), (FdtRegion{0x4800'0000, 0x1234}));
}

// Nodes by path, with and without unit address; a longer name does not match a shorter one.
TEST_F(Devicetree, NodesByPath) {
  const auto memory = fdt.find("/memory");
  ASSERT_TRUE(memory);
  EXPECT_EQ(fdt.name(*memory), "memory@40000000");
  EXPECT_EQ(fdt.find("/memory@40000000"), memory);
  EXPECT_EQ(fdt.find("/"), Fdt::root());
  EXPECT_TRUE(fdt.find("/reserved-memory/pvmfw"));
  EXPECT_FALSE(fdt.find("/mem"));
  EXPECT_FALSE(fdt.find("/memory@50000000"));
  EXPECT_FALSE(fdt.find("/chosen/memory"));
}

// Compatible strings anywhere in the list, phandles, status.
TEST_F(Devicetree, NodesByProperty) {
  EXPECT_EQ(fdt.find_compatible("linux,dummy-virt"), Fdt::root());
  EXPECT_EQ(fdt.find_compatible("pkvm,board"), Fdt::root());
  const auto firmware = fdt.find_compatible("linux,pkvm-guest-firmware-memory");
  ASSERT_TRUE(firmware);
  EXPECT_TRUE(fdt.has(*firmware, "no-map"));
  EXPECT_EQ(fdt.find_phandle(7), firmware);
  EXPECT_FALSE(fdt.find_phandle(8));
  EXPECT_FALSE(fdt.find_compatible("linux,pkvm-guest-firmware-memory", firmware));
  EXPECT_TRUE(fdt.is_enabled(*firmware));
  EXPECT_FALSE(fdt.is_enabled(*fdt.find_compatible("arm,pl011")));
}

// reg by the parent's cell counts, entry by entry.
TEST_F(Devicetree, RegByTheParentsCells) {
  EXPECT_EQ(fdt.reg(*fdt.find("/memory")), (FdtRegion{0x4000'0000, 0x1'4000'0000}));
  const auto uart = *fdt.find("/bus/uart");
  EXPECT_EQ(fdt.reg(uart, 0), (FdtRegion{0x900'0000, 0x1000}));
  EXPECT_EQ(fdt.reg(uart, 1), (FdtRegion{0xa00'0000, 0x2000}));
  EXPECT_FALSE(fdt.reg(uart, 2));
  EXPECT_FALSE(fdt.reg(*fdt.find("/chosen")));
  EXPECT_EQ(fdt.parent(uart), fdt.find("/bus"));
  EXPECT_FALSE(fdt.parent(Fdt::root()));
}

// Children, siblings and properties are walked in file order.
TEST_F(Devicetree, Walks) {
  std::vector<std::string> names;
  for (auto node = fdt.first_child(Fdt::root()); node; node = fdt.next_sibling(*node))
    names.emplace_back(fdt.name(*node));
  EXPECT_EQ(names,
            (std::vector<std::string>{"memory@40000000", "chosen", "reserved-memory", "bus"}));
  std::size_t nodes = 0;
  for (std::optional<Fdt::Node> node = Fdt::root(); node; node = fdt.next(*node))
    ++nodes;
  EXPECT_EQ(nodes, 7U);
  const auto firmware = *fdt.find("/reserved-memory/pvmfw");
  EXPECT_EQ(fdt.property_at(firmware, 1)->name, "no-map");
  EXPECT_FALSE(fdt.property_at(firmware, 4));
}

// The reservation block ends at its zero entry.
TEST_F(Devicetree, Reservations) {
  EXPECT_EQ(fdt.reservation(0), (FdtRegion{0x8000'0000, 0x2000}));
  EXPECT_FALSE(fdt.reservation(1));
}

// From a bare pointer, within a limit.
TEST_F(Devicetree, OpensAtAPointer) {
  EXPECT_EQ(Fdt::open_at(blob.data(), 0x10'0000)->total_size(), blob.size());
  EXPECT_EQ(Fdt::open_at(blob.data(), 64).error().code, Code::truncated);
}

/// Every query there is, so that a damaged tree that opens is read all over.
void read_all(const Fdt& fdt) {
  std::size_t steps = 0;
  for (std::optional<Fdt::Node> node = Fdt::root(); node && ++steps < 1000;
       node = fdt.next(*node)) {
    (void)fdt.reg(*node);
    (void)fdt.parent(*node);
    (void)fdt.next_sibling(*node);
    (void)fdt.is_compatible(*node, "arm,pl011");
    (void)fdt.string(*node, "status");
  }
  EXPECT_LT(steps, 1000U) << "the walk does not end";
  (void)fdt.initrd();
  (void)fdt.reservation(3);
  (void)fdt.find_phandle(99);
}

// A tree cut at any byte does not open.
TEST_F(Devicetree, TruncationIsRefused) {
  for (std::size_t length = 0; length < blob.size(); ++length) {
    const Blob cut(blob.begin(), blob.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_FALSE(Fdt::open(cut)) << length;
  }
}

// Any byte changed: it is refused or read without leaving the blob.
TEST_F(Devicetree, CorruptionIsRefusedOrRead) {
  for (std::size_t at = 0; at < blob.size(); ++at) {
    for (const unsigned value : {0x00U, 0x01U, 0x02U, 0x09U, 0x7fU, 0xffU}) {
      Blob copy = blob;
      copy[at] = std::byte{static_cast<unsigned char>(value)};
      if (const auto opened = Fdt::open(copy)) read_all(*opened);
    }
  }
}

}  // namespace
}  // namespace pkvmemu::image
