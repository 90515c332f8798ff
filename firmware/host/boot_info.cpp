// SPDX-License-Identifier: GPL-2.0-only
#include "host/boot_info.h"

#include <algorithm>

#include "lib/memory.h"
#include "pkvm/platform.h"
#include "support/bits.h"

namespace pkvmemu::host {

namespace {

namespace platform = pkvm::platform;
using image::Fdt;

PhysRange range_of(const image::FdtRegion& region) {
  return {.base = Pa{region.base}, .size = region.size};
}

PhysRange first_reg(const Fdt& tree, std::optional<Fdt::Node> node) {
  if (!node) return {};
  const auto region = tree.reg(*node);
  return region ? range_of(*region) : PhysRange{};
}

void read_memory(const Fdt& tree, BootInfo& boot) {
  for (auto node = tree.first_child(Fdt::root()); node; node = tree.next_sibling(*node)) {
    if (tree.string(*node, "device_type") != "memory") continue;
    for (unsigned i = 0; const auto region = tree.reg(*node, i); ++i)
      if (region->size != 0) boot.memory.add(range_of(*region));
  }
  std::ranges::sort(boot.memory.all(), {}, &PhysRange::base);
}

const char* why_refused(const Fdt& tree, Fdt::Node node, const PhysRange& range) {
  if (!tree.has(node, "no-map")) return "it is not no-map";
  if (tree.has(node, "reusable")) return "it is reusable";
  if (range.empty() || !is_aligned(range.base.value | range.size, page_size))
    return "base or size is not page-aligned";
  return nullptr;
}

// pkvm-abi.md 6.6: no-map, not reusable, page-aligned, and the only one.
void read_pvmfw(const Fdt& tree, Fdt::Node node, BootInfo& boot) {
  const PhysRange range = first_reg(tree, node);
  const char* refusal =
      boot.pvmfw.empty() ? why_refused(tree, node, range) : "there is more than one";
  if (refusal != nullptr)
    boot.pvmfw_refusal = refusal;
  else
    boot.pvmfw = range;
}

void read_reserved(const Fdt& tree, BootInfo& boot) {
  for (unsigned i = 0; const auto region = tree.reservation(i); ++i)
    boot.reserved.add({.range = range_of(*region), .nomap = false});
  const auto parent = tree.find("/reserved-memory");
  if (!parent) return;
  for (auto node = tree.first_child(*parent); node; node = tree.next_sibling(*node)) {
    const PhysRange range = first_reg(tree, node);
    if (range.empty()) continue;
    boot.reserved.add({.range = range, .nomap = tree.has(*node, "no-map")});
    if (tree.is_compatible(*node, platform::pvmfw_compatible)) read_pvmfw(tree, *node, boot);
  }
  std::ranges::sort(boot.reserved.all(), {},
                    [](const Reserved& reserved) { return reserved.range.base; });
}

void read_assignable_device(const Fdt& tree, BootInfo& boot) {
  const auto device = tree.find_compatible(platform::assignable_compatible);
  if (!device) return;
  const PhysRange registers = first_reg(tree, device);
  if (!registers.empty()) boot.assignable.add(registers);
}

PhysRange ring_of(const Fdt& tree, Fdt::Node port, unsigned index) {
  const auto phandle = tree.cell(port, "memory-region", index);
  return phandle ? first_reg(tree, tree.find_phandle(*phandle)) : PhysRange{};
}

void read_event_port(const Fdt& tree, BootInfo& boot) {
  const auto port = tree.find_compatible(platform::event_port_compatible);
  if (!port) return;
  boot.event_port = first_reg(tree, port);
  boot.hyp_ring = ring_of(tree, *port, 0);
  boot.host_ring = ring_of(tree, *port, 1);
}

void read_gic(const Fdt& tree, BootInfo& boot) {
  const auto node = tree.find_compatible("arm,gic-v3");
  if (!node) return;
  boot.gic.distributor = first_reg(tree, node);
  if (const auto region = tree.reg(*node, 1)) boot.gic.redistributors = range_of(*region);
}

}  // namespace

void read_devicetree(const Fdt& tree, BootInfo& boot) {
  boot.devicetree.size = tree.total_size();
  read_memory(tree, boot);
  read_reserved(tree, boot);
  read_assignable_device(tree, boot);
  read_event_port(tree, boot);
  read_gic(tree, boot);
  if (const auto initrd = tree.initrd()) boot.initrd = range_of(*initrd);
  const std::string_view arguments = tree.bootargs();
  boot.command_line_size = std::min(arguments.size(), boot.command_line.size());
  fw::copy_bytes(boot.command_line.data(), arguments.data(), boot.command_line_size);
}

}  // namespace pkvmemu::host
