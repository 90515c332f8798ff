// SPDX-License-Identifier: GPL-2.0-only
#include "machine/device_tree.h"

#include <cstring>
#include <initializer_list>
#include <string_view>
#include <vector>

extern "C" {
#include <libfdt.h>
}

namespace pkvmemu::machine {
namespace {

namespace platform = pkvm::platform;

/// Handles by which nodes refer to each other.
enum Phandle : std::uint32_t { gic = 1, uart_clock, hyp_ring, host_ring };

/// libfdt's sequential writer; the first error sticks and is reported at the end.
class TreeWriter {
 public:
  explicit TreeWriter(std::size_t capacity) : buffer_(capacity) {
    check(fdt_create(buffer_.data(), static_cast<int>(capacity)));
    check(fdt_finish_reservemap(buffer_.data()));
  }

  /// Writes a node; `content` writes what is in it.
  template <typename Content>
  void node(const std::string& name, const Content& content) {
    check(fdt_begin_node(buffer_.data(), name.c_str()));
    content();
    check(fdt_end_node(buffer_.data()));
  }
  void cells(const char* name, std::initializer_list<std::uint32_t> values) {
    std::vector<fdt32_t> encoded;
    for (const std::uint32_t value : values)
      encoded.push_back(cpu_to_fdt32(value));
    property(name, encoded.data(), encoded.size() * sizeof(fdt32_t));
  }
  /// Address and size, two cells each.
  void reg(std::initializer_list<Range> ranges) {
    std::vector<fdt64_t> encoded;
    for (const Range& range : ranges) {
      encoded.push_back(cpu_to_fdt64(range.base.value));
      encoded.push_back(cpu_to_fdt64(range.size));
    }
    property("reg", encoded.data(), encoded.size() * sizeof(fdt64_t));
  }
  void address(const char* name, Pa value) {
    const fdt64_t encoded = cpu_to_fdt64(value.value);
    property(name, &encoded, sizeof(encoded));
  }
  void strings(const char* name, std::initializer_list<std::string_view> values) {
    std::string encoded;
    for (const std::string_view value : values)
      encoded.append(value).push_back('\0');
    property(name, encoded.data(), encoded.size());
  }
  void bytes(const char* name, std::span<const std::byte> value) {
    property(name, value.data(), value.size());
  }
  void flag(const char* name) { property(name, nullptr, 0); }

  Result<Bytes> finish() {
    check(fdt_finish(buffer_.data()));
    if (error_ != 0) return fail("the devicetree cannot be built: {}", fdt_strerror(error_));
    const std::span<const std::byte> all(buffer_);
    const auto used = all.first(fdt_totalsize(buffer_.data()));
    return Bytes(used.begin(), used.end());
  }

 private:
  void property(const char* name, const void* data, std::size_t size) {
    check(fdt_property(buffer_.data(), name, data, static_cast<int>(size)));
  }
  void check(int status) {
    if (error_ == 0 && status < 0) error_ = status;
  }

  Bytes buffer_;
  int error_ = 0;
};

std::string unit(std::string_view name, Pa base) {
  return fmt::format("{}@{:x}", name, base.value);
}

void write_chosen(TreeWriter& tree, const TreeDescription& description) {
  tree.node("chosen", [&] {
    tree.strings("stdout-path", {unit("/pl011", Pa{platform::pl011_base})});
    if (!description.bootargs.empty()) tree.strings("bootargs", {description.bootargs});
    if (description.initrd.size == 0) return;
    tree.address("linux,initrd-start", description.initrd.base);
    tree.address("linux,initrd-end", description.initrd.end());
  });
}

void write_cpus(TreeWriter& tree) {
  tree.node("cpus", [&] {
    tree.cells("#address-cells", {1});
    tree.cells("#size-cells", {0});
    tree.node("cpu@0", [&] {
      tree.strings("device_type", {"cpu"});
      tree.strings("compatible", {"arm,armv8"});
      tree.cells("reg", {0});
      tree.strings("enable-method", {"psci"});
    });
  });
  tree.node("psci", [&] {
    tree.strings("compatible", {"arm,psci-1.0", "arm,psci-0.2"});
    tree.strings("method", {"smc"});
  });
}

void write_memory(TreeWriter& tree, std::uint64_t ram_size) {
  const Range ram{.base = Pa{platform::ram_base}, .size = ram_size};
  tree.node(unit("memory", ram.base), [&] {
    tree.strings("device_type", {"memory"});
    tree.reg({ram});
  });
}

void write_reserved(TreeWriter& tree, std::string_view name, Range range,
                    std::string_view compatible, std::uint32_t phandle) {
  tree.node(unit(name, range.base), [&] {
    tree.strings("compatible", {compatible});
    tree.reg({range});
    tree.flag("no-map");
    if (phandle != 0) tree.cells("phandle", {phandle});
  });
}

void write_reserved_memory(TreeWriter& tree, const TreeDescription& description) {
  if (!description.pvmfw && !description.event_port && description.reserved.empty()) return;
  tree.node("reserved-memory", [&] {
    tree.cells("#address-cells", {2});
    tree.cells("#size-cells", {2});
    tree.flag("ranges");
    for (const Range& range : description.reserved)
      tree.node(unit("memory-image", range.base), [&] { tree.reg({range}); });
    if (description.pvmfw)
      write_reserved(tree, "pvmfw", pvmfw_range(description.ram_size), platform::pvmfw_compatible,
                     0);
    if (!description.event_port) return;
    write_reserved(tree, "event-ring", hyp_ring_range(description.ram_size),
                   platform::ring_compatible, hyp_ring);
    write_reserved(tree, "event-ring", host_ring_range(description.ram_size),
                   platform::ring_compatible, host_ring);
  });
}

void write_uart(TreeWriter& tree) {
  tree.node("apb-pclk", [&] {
    tree.strings("compatible", {"fixed-clock"});
    tree.cells("#clock-cells", {0});
    tree.cells("clock-frequency", {24'000'000});
    tree.strings("clock-output-names", {"clk24mhz"});
    tree.cells("phandle", {uart_clock});
  });
  const Range window{.base = Pa{platform::pl011_base}, .size = platform::pl011_size};
  tree.node(unit("pl011", window.base), [&] {
    tree.strings("compatible", {"arm,pl011", "arm,primecell"});
    tree.reg({window});
    tree.cells("clocks", {uart_clock, uart_clock});
    tree.strings("clock-names", {"uartclk", "apb_pclk"});
  });
}

void write_event_port(TreeWriter& tree) {
  const Range window{.base = Pa{platform::event_port_base}, .size = platform::event_port_size};
  tree.node(unit("event-port", window.base), [&] {
    tree.strings("compatible", {platform::event_port_compatible});
    tree.reg({window});
    tree.cells("memory-region", {hyp_ring, host_ring});
  });
}

void write_assignable_device(TreeWriter& tree) {
  const Range window{.base = Pa{platform::assignable_base}, .size = platform::assignable_size};
  tree.node(unit("assignable", window.base), [&] {
    tree.strings("compatible", {platform::assignable_compatible});
    tree.reg({window});
  });
}

void write_device(TreeWriter& tree, const DeclaredDevice& device) {
  tree.node(device.node, [&] {
    tree.strings("compatible", {device.compatible});
    if (device.registers) tree.reg({*device.registers});
    for (const DeviceProperty& own : device.properties)
      tree.bytes(own.name.c_str(), own.value);
  });
}

std::size_t size_of(std::span<const DeclaredDevice> devices) {
  constexpr std::size_t room_for_one = 512;  // node, compatible, reg and their names
  std::size_t size = 0;
  for (const DeclaredDevice& device : devices) {
    size += room_for_one;
    for (const DeviceProperty& own : device.properties)
      size += room_for_one + own.value.size();
  }
  return size;
}

/// GICv3 and the generic timer at the addresses and interrupts of QEMU's `virt`.
void write_interrupts(TreeWriter& tree) {
  constexpr std::uint32_t ppi = 1;
  constexpr std::uint32_t level_high = 4;
  constexpr Range distributor{.base = Pa{0x0800'0000}, .size = 0x1'0000};
  constexpr Range redistributors{.base = Pa{0x080a'0000}, .size = 0xf6'0000};
  tree.cells("interrupt-parent", {gic});
  tree.node(unit("intc", distributor.base), [&] {
    tree.strings("compatible", {"arm,gic-v3"});
    tree.cells("#interrupt-cells", {3});
    tree.flag("interrupt-controller");
    tree.cells("#redistributor-regions", {1});
    tree.reg({distributor, redistributors});
    tree.cells("phandle", {gic});
  });
  tree.node("timer", [&] {
    tree.strings("compatible", {"arm,armv8-timer"});
    tree.flag("always-on");
    tree.cells("interrupts", {ppi, 13, level_high, ppi, 14, level_high, ppi, 11, level_high, ppi,
                              10, level_high});
  });
}

}  // namespace

Result<Bytes> build_device_tree(const TreeDescription& description) {
  TreeWriter tree(0x1'0000 + description.bootargs.size() + size_of(description.devices));
  tree.node("", [&] {
    tree.cells("#address-cells", {2});
    tree.cells("#size-cells", {2});
    tree.strings("compatible", {"linux,dummy-virt"});
    tree.strings("model", {"pkvm-emu,virt"});
    if (description.interrupt_controller) write_interrupts(tree);
    write_chosen(tree, description);
    write_cpus(tree);
    write_memory(tree, description.ram_size);
    write_reserved_memory(tree, description);
    write_uart(tree);
    write_assignable_device(tree);
    if (description.event_port) write_event_port(tree);
    for (const DeclaredDevice& device : description.devices)
      write_device(tree, device);
  });
  return tree.finish();
}

Result<Bytes> device_tree_for_qemu(std::uint64_t ram_size, bool pvmfw, std::vector<Range> reserved,
                                   std::span<const DeclaredDevice> devices) {
  return build_device_tree({.ram_size = ram_size,
                            .pvmfw = pvmfw,
                            .reserved = std::move(reserved),
                            .interrupt_controller = true,
                            .devices = devices});
}

}  // namespace pkvmemu::machine
