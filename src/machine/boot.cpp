// SPDX-License-Identifier: GPL-2.0-only
// From a Config to a board ready to run: checks, placement, the arm64 boot protocol.
#include <algorithm>
#include <array>
#include <cstring>

#include "machine/board.h"
#include "machine/device_tree.h"
#include "machine/placement.h"

namespace pkvmemu::machine {
namespace {

constexpr std::uint64_t smallest_ram = std::uint64_t{64} << 20;
constexpr std::uint64_t largest_ram = std::uint64_t{16} << 30;

struct Placed {
  std::string_view what;
  Range range;
};

/// Everything that must lie in RAM without touching its neighbour.
Result<void> check_layout(const GuestRam& ram, std::span<const Placed> all) {
  for (const Placed& one : all) {
    if (one.range.size != 0 && !ram.contains(one.range))
      return fail("{}: {} bytes at {:#x} do not fit into {} MiB of RAM", one.what, one.range.size,
                  one.range.base.value, ram.size() >> 20);
    for (const Placed& other : all)
      if (&other != &one && one.range.overlaps(other.range))
        return fail(
            "{} ({:#x} to {:#x}) overlaps {} ({:#x} to {:#x}): give the machine more RAM "
            "or make it smaller",
            one.what, one.range.base.value, one.range.end().value, other.what,
            other.range.base.value, other.range.end().value);
  }
  return {};
}

/// The kernel makes its first page tables behind its image, before it reads what is reserved.
constexpr std::uint64_t early_room = std::uint64_t{2} << 20;
/// The kernel's list of reserved ranges has room for 16.
constexpr std::size_t most_images = 8;

Range range_of(const MemoryImage& image) {
  return {.base = image.address, .size = image.bytes.size()};
}

std::vector<Range> pages_of(std::span<const MemoryImage> images) {
  std::vector<Range> ranges;
  for (const MemoryImage& image : images)
    ranges.push_back(range_of(image).pages());
  return ranges;
}

void copy(std::span<std::byte> to, std::span<const std::byte> from) {
  std::ranges::copy(from, to.begin());
}

}  // namespace

Result<std::unique_ptr<Machine>> Machine::create(const Config& config) {
  if (config.ram_size < smallest_ram || config.ram_size > largest_ram ||
      !is_aligned(config.ram_size, boot_alignment))
    return fail("RAM of {} bytes: it must be a multiple of 2 MiB, from {} MiB to {} MiB",
                config.ram_size, smallest_ram >> 20, largest_ram >> 20);
  auto ram = GuestRam::allocate(config.ram_size, config.ram_mapping);
  if (!ram) return std::unexpected(ram.error());
  auto machine = std::make_unique<BoardMachine>(config, std::move(*ram));
  if (const auto ready = machine->boot(config); !ready) return std::unexpected(ready.error());
  return machine;
}

Result<void> BoardMachine::load(const Config& config) {
  const auto header = parse_image_header(config.kernel);
  if (!header) return fail("kernel: {}", header.error().message);
  if (config.pvmfw.size() > pkvm::platform::pvmfw_size)
    return fail("pVM firmware: {} bytes, more than the {} reserved for it", config.pvmfw.size(),
                pkvm::platform::pvmfw_size);

  const Range kernel{.base = kernel_address(header->text_offset, header->image_size),
                     .size = std::max<std::uint64_t>(header->image_size, config.kernel.size())};
  const Range initrd{.base = initrd_address(ram_.size()), .size = config.initrd.size()};
  const auto tree = build_device_tree({.ram_size = ram_.size(),
                                       .bootargs = config.bootargs,
                                       .initrd = initrd,
                                       .pvmfw = !config.pvmfw.empty(),
                                       .event_port = config.event_port,
                                       .reserved = pages_of(config.memory),
                                       .devices = config.devices});
  if (!tree) return std::unexpected(tree.error());
  const Range devicetree{.base = devicetree_address(ram_.size(), config.initrd.size()),
                         .size = tree->size()};
  const Range pvmfw = pvmfw_range(ram_.size());
  std::vector placed{Placed{"the kernel", kernel},
                     Placed{"the initrd", initrd},
                     Placed{"the devicetree", devicetree},
                     Placed{"pVM firmware", pvmfw},
                     Placed{"the hypervisor's event ring", hyp_ring_range(ram_.size())},
                     Placed{"the host's event ring", host_ring_range(ram_.size())}};
  if (config.memory.size() > most_images)
    return fail("{} memory images: at most {}", config.memory.size(), most_images);
  if (!config.memory.empty())
    placed.push_back(
        {"room for the kernel's page tables", {.base = kernel.end(), .size = early_room}});
  for (const MemoryImage& image : config.memory)
    placed.push_back({image.name, range_of(image).pages()});
  if (const auto checked = check_layout(ram_, placed); !checked) return checked;

  for (const MemoryImage& image : config.memory)
    copy(ram_.at(range_of(image)), image.bytes);
  copy(ram_.at(kernel), config.kernel);
  copy(ram_.at(initrd), config.initrd);
  copy(ram_.at(devicetree), *tree);
  if (!config.pvmfw.empty()) pvmfw_ = ram_.at(pvmfw);
  copy(pvmfw_, config.pvmfw);
  entry_ = kernel.base;
  devicetree_ = devicetree.base;
  return {};
}

}  // namespace pkvmemu::machine
