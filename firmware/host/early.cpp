// SPDX-License-Identifier: GPL-2.0-only
#include "host/early.h"

#include <algorithm>
#include <cstddef>

#include "host/arch.h"
#include "host/asm_constants.h"
#include "host/page_table.h"
#include "host/sections.h"
#include "lib/memory.h"
#include "pkvm/hyp_image.h"
#include "pkvm/platform.h"
#include "pkvm/smccc.h"

namespace pkvmemu::host {

static_assert(HYP_HEADER_INIT_VECTORS == offsetof(pkvm::HypImageHeader, init_vectors));
static_assert(PL011_BASE == pkvm::platform::pl011_base);
static_assert(PSCI_SYSTEM_OFF == pkvm::psci::system_off);

constinit BootState boot_state;

namespace {

/// TCR_EL1 of the kernel: as the identity map's, with T1SZ for its halves and TTBR1 enabled.
/// 40-bit output addresses are enough for the board and implemented by every CPU QEMU has for it.
std::uint64_t kernel_tcr(unsigned va_bits) {
  constexpr std::uint64_t t1sz = std::uint64_t{0x3f} << 16;
  constexpr std::uint64_t ttbr1_walks = bit(24) | bit(26) | std::uint64_t{3} << 28;
  return (TCR_EL1_IDENTITY & ~(t1sz | bit(23))) | std::uint64_t{64 - va_bits} << 16 | ttbr1_walks;
}

/// Table pages right behind the image, seen through the identity map.
class EarlyTables final : public TableMemory {
 public:
  explicit EarlyTables(Pa begin) : next_(begin) {}
  std::optional<Pa> take_table() override {
    const Pa table = next_;
    next_ = next_ + page_size;
    fw::fill_bytes(view(table), 0, page_size);
    return table;
  }
  std::uint64_t* view(Pa table) override { return reinterpret_cast<std::uint64_t*>(table.value); }
  Pa end() const { return next_; }

 private:
  Pa next_;
};

/// The kernel's linear map of RAM: no-map reservations left out, the kernel's own code and
/// constants read-only.
class LinearMap {
 public:
  LinearMap(PageTable& tables, std::uint64_t page_offset)
      : tables_(&tables), page_offset_(page_offset) {}

  void map(const BootInfo& boot, const PhysRange& constants) {
    FixedList<Hole, 20> holes;
    holes.add({.range = constants, .mapped_read_only = true});
    for (const Reserved& reserved : boot.reserved.all())
      if (reserved.nomap) holes.add({.range = reserved.range, .mapped_read_only = false});
    std::ranges::sort(holes.all(), {}, [](const Hole& hole) { return hole.range.base; });
    for (const PhysRange& ram : boot.memory.all())
      map_around(ram, holes.all());
  }

 private:
  struct Hole {
    PhysRange range;
    bool mapped_read_only = false;
  };

  void map_around(const PhysRange& ram, std::span<const Hole> holes) {
    Pa at = ram.base;
    for (const Hole& hole : holes) {
      if (hole.range.end() <= at || hole.range.base >= ram.end()) continue;
      map_part(at, hole.range.base, attributes::kernel_data);
      if (hole.mapped_read_only)
        map_part(hole.range.base, hole.range.end(), attributes::kernel_rodata);
      at = hole.range.end();
    }
    map_part(at, ram.end(), attributes::kernel_data);
  }

  void map_part(Pa begin, Pa end, Attributes how) {
    if (begin >= end) return;
    tables_->map(page_offset_ + (begin - Pa{pkvm::platform::ram_base}), begin, end - begin, how,
                 PageTable::Largest::block_1g);
  }

  PageTable* tables_;
  std::uint64_t page_offset_;
};

void map_image(PageTable& tables, const KernelLayout& layout, Pa image) {
  const auto map = [&](const char* begin, const char* end, Attributes how) {
    const std::uint64_t offset = reinterpret_cast<std::uint64_t>(begin) - image.value;
    tables.map(layout.image_base() + offset, image + offset,
               static_cast<std::uint64_t>(end - begin), how, PageTable::Largest::page);
  };
  map(image_begin, text_end, attributes::kernel_text);
  map(text_end, rodata_end, attributes::kernel_rodata);
  map(rodata_end, per_cpu_addresses, attributes::kernel_data);
  map(boot_stack_begin, image_end, attributes::kernel_data);
}

void build_tables(Pa image) {
  BootInfo& boot = boot_state.info;
  EarlyTables memory(boot.image.end());
  const KernelLayout layout = kernel_layout();
  PageTable tables(*memory.take_table(), boot_state.va_bits, memory);
  map_image(tables, layout, image);
  const PhysRange constants{.base = image,
                            .size = static_cast<std::uint64_t>(rodata_end - image_begin)};
  LinearMap linear(tables, layout.page_offset());
  linear.map(boot, constants);
  boot_state.kernel_root = tables.root();
  boot_state.early_end = memory.end();
}

/// Without a devicetree there is no console address but the board's.
[[noreturn]] void refuse_to_boot(std::string_view why) {
  auto* const data = reinterpret_cast<volatile std::uint32_t*>(pkvm::platform::pl011_base);
  for (const char c : why)
    *data = static_cast<unsigned char>(c);
  arch::CallRegisters off{pkvm::psci::system_off};
  arch::smc(off);
  arch::wait_forever();
}

}  // namespace

/// What head.S loads: image address, TTBR1_EL1, TCR_EL1, in this order.
struct EarlyResult {
  std::uint64_t image_base;
  std::uint64_t ttbr1;
  std::uint64_t tcr;
};

extern "C" {

/// Runs at a PA; touches no pointer that relocation changes.
void apply_relocations(std::uint64_t image, std::uint64_t base) {
  struct Rela {
    std::uint64_t offset, info, addend;
  };
  constexpr std::uint64_t relative = 1027;  // R_AARCH64_RELATIVE
  const auto* const end = reinterpret_cast<const Rela*>(rela_end);
  for (const auto* rela = reinterpret_cast<const Rela*>(rela_begin); rela != end; ++rela)
    if (rela->info == relative)
      *reinterpret_cast<volatile std::uint64_t*>(image + rela->offset) = base + rela->addend;
}

const EarlyResult* early_main(std::uint64_t devicetree, std::uint64_t image) {
  static constinit EarlyResult result{};
  BootInfo& boot = boot_state.info;
  constexpr std::uint32_t largest_devicetree = 0x20'0000;
  const auto tree =
      image::Fdt::open_at(reinterpret_cast<const std::byte*>(devicetree), largest_devicetree);
  if (!tree) refuse_to_boot("pkvm-emu firmware: x0 is not a devicetree\n");
  boot.devicetree.base = Pa{devicetree};
  boot.image = {.base = Pa{image}, .size = static_cast<std::uint64_t>(image_end - image_begin)};
  read_devicetree(*tree, boot);
  if (boot.memory.all().empty()) refuse_to_boot("pkvm-emu firmware: no /memory node\n");
  boot_state.va_bits = parse_command_line(boot.arguments()).va_bits;
  build_tables(Pa{image});
  result = {.image_base = kernel_layout().image_base(),
            .ttbr1 = boot_state.kernel_root.value,
            .tcr = kernel_tcr(boot_state.va_bits)};
  return &result;
}
}

}  // namespace pkvmemu::host
