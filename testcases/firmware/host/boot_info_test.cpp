// SPDX-License-Identifier: GPL-2.0-only
#include "host/boot_info.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libfdt.h>

#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "pkvm/platform.h"

namespace {

using namespace pkvmemu;
using namespace pkvmemu::host;

/// Writes a devicetree as the board's is: 2 address and 2 size cells everywhere.
class TreeWriter {
 public:
  TreeWriter() : blob_(16384) {
    fdt_create(blob_.data(), static_cast<int>(blob_.size()));
    fdt_finish_reservemap(blob_.data());
    begin("");
    cells();
  }
  void begin(const char* name) { fdt_begin_node(blob_.data(), name); }
  void end() { fdt_end_node(blob_.data()); }
  void cells() {
    fdt_property_u32(blob_.data(), "#address-cells", 2);
    fdt_property_u32(blob_.data(), "#size-cells", 2);
  }
  void reg(std::uint64_t base, std::uint64_t size) {
    const fdt64_t words[] = {cpu_to_fdt64(base), cpu_to_fdt64(size)};
    fdt_property(blob_.data(), "reg", words, sizeof(words));
  }
  void text(const char* name, std::string_view value) {
    fdt_property_string(blob_.data(), name, std::string(value).c_str());
  }
  void number(const char* name, std::uint32_t value) {
    fdt_property_u32(blob_.data(), name, value);
  }
  void flag(const char* name) { fdt_property(blob_.data(), name, nullptr, 0); }
  void memory(std::uint64_t base, std::uint64_t size) {
    begin("memory@40000000");
    text("device_type", "memory");
    reg(base, size);
    end();
  }
  BootInfo read() {
    end();
    fdt_finish(blob_.data());
    const auto tree = image::Fdt::open(std::as_bytes(std::span(blob_)));
    EXPECT_TRUE(tree);
    BootInfo boot;
    if (tree) read_devicetree(*tree, boot);
    return boot;
  }
  void* raw() { return blob_.data(); }

 private:
  std::vector<char> blob_;
};

PhysRange range(std::uint64_t base, std::uint64_t size) {
  return {Pa{base}, size};
}

// Memory, command line and initrd come from the standard places.
TEST(BootInfo, MemoryAndChosen) {
  TreeWriter tree;
  tree.memory(0x4000'0000, 0x4000'0000);
  tree.begin("chosen");
  tree.text("bootargs", "kvm-arm.mode=protected");
  tree.number("linux,initrd-start", 0x4800'0000);
  tree.number("linux,initrd-end", 0x4800'1234);
  tree.end();
  const BootInfo boot = tree.read();
  EXPECT_THAT(boot.memory.all(), ::testing::ElementsAre(range(0x4000'0000, 0x4000'0000)));
  EXPECT_EQ(boot.arguments(), "kvm-arm.mode=protected");
  EXPECT_EQ(boot.initrd, range(0x4800'0000, 0x1234));
  EXPECT_TRUE(boot.pvmfw.empty());
  EXPECT_TRUE(boot.event_port.empty());
}

void add_pvmfw(TreeWriter& tree, const char* name, std::uint64_t base, std::uint64_t size,
               const std::vector<const char*>& flags) {
  tree.begin(name);
  tree.text("compatible", pkvm::platform::pvmfw_compatible);
  tree.reg(base, size);
  for (const char* flag : flags)
    tree.flag(flag);
  tree.end();
}

BootInfo with_pvmfw(const std::function<void(TreeWriter&)>& add) {
  TreeWriter tree;
  tree.memory(0x4000'0000, 0x4000'0000);
  tree.begin("reserved-memory");
  tree.cells();
  tree.flag("ranges");
  add(tree);
  tree.end();
  return tree.read();
}

// pVM firmware is a no-map, page-aligned reserved-memory node (pkvm-abi.md 6.6).
TEST(BootInfo, Pvmfw) {
  const BootInfo boot = with_pvmfw([](TreeWriter& tree) {
    add_pvmfw(tree, "pvmfw@7e000000", 0x7e00'0000, 0x10'0000, {"no-map"});
  });
  EXPECT_EQ(boot.pvmfw, range(0x7e00'0000, 0x10'0000));
  EXPECT_EQ(boot.pvmfw_refusal, nullptr);
  ASSERT_EQ(boot.reserved.all().size(), 1U);
  EXPECT_TRUE(boot.reserved.all()[0].nomap);
}

// Each violation of the binding makes the node ignored, with a reason (pkvm-abi.md 6.6).
TEST(BootInfo, PvmfwViolations) {
  const auto refused = [](std::uint64_t base, std::uint64_t size,
                          const std::vector<const char*>& flags) {
    const BootInfo boot =
        with_pvmfw([&](TreeWriter& tree) { add_pvmfw(tree, "pvmfw@7e000000", base, size, flags); });
    EXPECT_TRUE(boot.pvmfw.empty());
    return std::string(boot.pvmfw_refusal == nullptr ? "" : boot.pvmfw_refusal);
  };
  EXPECT_EQ(refused(0x7e00'0000, 0x10'0000, {}), "it is not no-map");
  EXPECT_EQ(refused(0x7e00'0000, 0x10'0000, {"no-map", "reusable"}), "it is reusable");
  EXPECT_EQ(refused(0x7e00'0800, 0x10'0000, {"no-map"}), "base or size is not page-aligned");
  EXPECT_EQ(refused(0x7e00'0000, 0x10'0800, {"no-map"}), "base or size is not page-aligned");
}

// Of two nodes the first is used and the second complained about.
TEST(BootInfo, TwoPvmfwNodes) {
  const BootInfo boot = with_pvmfw([](TreeWriter& tree) {
    add_pvmfw(tree, "pvmfw@7e000000", 0x7e00'0000, 0x10'0000, {"no-map"});
    add_pvmfw(tree, "pvmfw@7d000000", 0x7d00'0000, 0x10'0000, {"no-map"});
  });
  EXPECT_EQ(boot.pvmfw, range(0x7e00'0000, 0x10'0000));
  EXPECT_STREQ(boot.pvmfw_refusal, "there is more than one");
  ASSERT_EQ(boot.reserved.all().size(), 2U);
  EXPECT_EQ(boot.reserved.all()[0].range.base, Pa{0x7d00'0000});
}

// The event port names EL2's ring first, then the host's.
TEST(BootInfo, EventPort) {
  TreeWriter tree;
  tree.memory(0x4000'0000, 0x4000'0000);
  tree.begin("reserved-memory");
  tree.cells();
  for (const std::uint32_t phandle : {1U, 2U}) {
    tree.begin(phandle == 1 ? "ring@7e100000" : "ring@7e200000");
    tree.reg(0x7e00'0000 + phandle * 0x10'0000, 0x1'0000);
    tree.number("phandle", phandle);
    tree.flag("no-map");
    tree.end();
  }
  tree.end();
  tree.begin("event-port@b000000");
  tree.text("compatible", pkvm::platform::event_port_compatible);
  tree.reg(0x0b00'0000, 0x1000);
  const fdt32_t rings[] = {cpu_to_fdt32(2), cpu_to_fdt32(1)};
  fdt_property(tree.raw(), "memory-region", rings, sizeof(rings));
  tree.end();
  const BootInfo boot = tree.read();
  EXPECT_EQ(boot.event_port, range(0x0b00'0000, 0x1000));
  EXPECT_EQ(boot.hyp_ring, range(0x7e20'0000, 0x1'0000));
  EXPECT_EQ(boot.host_ring, range(0x7e10'0000, 0x1'0000));
}

// A command line longer than the kernel's buffer is cut, as kernels cut it.
TEST(BootInfo, LongCommandLine) {
  TreeWriter tree;
  tree.memory(0x4000'0000, 0x4000'0000);
  tree.begin("chosen");
  tree.text("bootargs", std::string(5000, 'x'));
  tree.end();
  EXPECT_EQ(tree.read().arguments(), std::string(2048, 'x'));
}

}  // namespace
