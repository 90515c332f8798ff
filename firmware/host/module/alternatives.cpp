// SPDX-License-Identifier: GPL-2.0-only
#include "host/module/alternatives.h"

#include <array>
#include <span>

#include "host/module/instructions.h"
#include "image/text.h"
#include "pkvm/cpucaps.h"
#include "support/bits.h"

namespace pkvmemu::kmod {
namespace {

/// struct alt_instr.
struct Record {
  std::int32_t original;
  std::int32_t replacement;
  std::uint16_t capability;
  std::uint8_t original_size;
  std::uint8_t replacement_size;
};
static_assert(sizeof(Record) == 12);

/// The one callback that modules can name: NOPs for what branches around code that is wanted.
constexpr std::string_view patch_nops = "alt_cb_patch_nops";

/// Where a PC-relative branch keeps its distance, in words.
struct BranchRow {
  std::uint32_t mask;
  std::uint32_t value;
  unsigned low;
  unsigned width;
};
// Arm ARM C4.1.65: B and BL; B.cond and BC.cond; CBZ and CBNZ; TBZ and TBNZ.
constexpr std::array branch_rows = {
    BranchRow{0x7c00'0000, 0x1400'0000, 0, 26},
    BranchRow{0xff00'0000, 0x5400'0000, 5, 19},
    BranchRow{0x7e00'0000, 0x3400'0000, 5, 19},
    BranchRow{0x7e00'0000, 0x3600'0000, 5, 14},
};

constexpr bool is_adrp(std::uint32_t instruction) {
  return (instruction & 0x9f00'0000) == 0x9000'0000;
}
/// ADR, and loads of literals.
constexpr bool reads_beside_itself(std::uint32_t instruction) {
  return (instruction & 0x9f00'0000) == 0x1000'0000 || (instruction & 0x3b00'0000) == 0x1800'0000;
}

bool fits(std::int64_t value, unsigned width) {
  return sign_extend(static_cast<std::uint64_t>(value) & low_mask(width), width) == value;
}

std::optional<std::uint32_t> move_branch(const BranchRow& row, std::uint32_t instruction,
                                         std::int64_t moved) {
  const std::uint64_t field = bits(instruction, row.low + row.width - 1, row.low);
  const std::int64_t distance = sign_extend(field, row.width) + moved / 4;
  if (!fits(distance, row.width)) return std::nullopt;
  const std::uint64_t mask = low_mask(row.width) << row.low;
  const std::uint64_t place = (static_cast<std::uint64_t>(distance) << row.low) & mask;
  return static_cast<std::uint32_t>((instruction & ~mask) | place);
}

std::optional<std::uint32_t> move_adrp(std::uint32_t instruction, std::uint64_t from,
                                       std::uint64_t to) {
  constexpr unsigned width = 21;
  constexpr unsigned high_at = 5;
  constexpr unsigned low_at = 29;
  const std::uint64_t field = bits(instruction, 23, high_at) << 2 | bits(instruction, 30, low_at);
  const std::uint64_t page = align_down(from, page_size) +
                             (static_cast<std::uint64_t>(sign_extend(field, width)) << page_shift);
  const auto pages = static_cast<std::int64_t>(page - align_down(to, page_size)) >> page_shift;
  if (!fits(pages, width)) return std::nullopt;
  const auto value = static_cast<std::uint64_t>(pages);
  const std::uint64_t kept = instruction & 0x9f00'001f;
  return static_cast<std::uint32_t>(kept | bits(value, 20, 2) << high_at |
                                    bits(value, 1, 0) << low_at);
}

class Patcher {
 public:
  Patcher(KernelServices& services, pkvm::Generation generation, Module& module)
      : services_(services),
        generation_(generation),
        module_(module),
        nops_(services.resolve(patch_nops)) {}

  AppliedAlternatives run(const PlacedSection& table);

 private:
  void apply(const Record& record, KernVa original, KernVa replacement);
  /// False when it is not to be understood.
  bool replace(const Record& record, KernVa original, KernVa replacement);

  KernelServices& services_;
  pkvm::Generation generation_;
  Module& module_;
  std::optional<KernVa> nops_;
  AppliedAlternatives done_;
};

AppliedAlternatives Patcher::run(const PlacedSection& table) {
  for (std::size_t at = 0; table.bytes.size() - at >= sizeof(Record); at += sizeof(Record)) {
    Record record{};
    __builtin_memcpy(&record, table.bytes.data() + at, sizeof(record));
    const std::uint64_t here = table.address + at;
    apply(record, relative(here + offsetof(Record, original), record.original),
          relative(here + offsetof(Record, replacement), record.replacement));
  }
  return done_;
}

void Patcher::apply(const Record& record, KernVa original, KernVa replacement) {
  const auto number = static_cast<std::uint16_t>(record.capability & ~pkvm::cpucaps::callback_bit);
  const pkvm::cpucaps::Row* const row = pkvm::cpucaps::find(generation_, number);
  if (row == nullptr) {
    if (done_.unknown++ == 0) done_.unknown_number = number;
    return;
  }
  if (!services_.has_capability(row->presence)) return;
  ++(replace(record, original, replacement) ? done_.replaced : done_.not_understood);
}

bool Patcher::replace(const Record& record, KernVa original, KernVa replacement) {
  const auto site = module_.bytes_at(original, record.original_size);
  const std::size_t size = record.original_size;
  if (site.empty() || size % instruction_size != 0 || !is_aligned(original.value, instruction_size))
    return false;
  if ((record.capability & pkvm::cpucaps::callback_bit) != 0) {
    if (replacement != nops_) return false;
    for (std::size_t at = 0; at < size; at += instruction_size)
      put_instruction(site.subspan(at), nop);
    return true;
  }
  const auto code = module_.bytes_at(replacement, size);
  if (record.replacement_size != size || code.empty()) return false;
  std::array<std::uint32_t, 0x100 / instruction_size> moved{};
  for (std::size_t at = 0; at < size; at += instruction_size) {
    const auto instruction =
        moved_instruction(instruction_at(code.subspan(at)), replacement.value + at,
                          original.value + at, replacement.value, size);
    if (!instruction) return false;
    moved[at / instruction_size] = *instruction;
  }
  __builtin_memcpy(site.data(), moved.data(), size);
  return true;
}

}  // namespace

std::optional<std::uint32_t> moved_instruction(std::uint32_t instruction, std::uint64_t from,
                                               std::uint64_t to, std::uint64_t block,
                                               std::uint64_t size) {
  if (reads_beside_itself(instruction)) return std::nullopt;
  if (is_adrp(instruction)) return move_adrp(instruction, from, to);
  for (const BranchRow& row : branch_rows) {
    if ((instruction & row.mask) != row.value) continue;
    const std::uint64_t field = bits(instruction, row.low + row.width - 1, row.low);
    const std::uint64_t target =
        from + static_cast<std::uint64_t>(sign_extend(field, row.width) * 4);
    if (target - block <= size) return instruction;
    return move_branch(row, instruction, static_cast<std::int64_t>(from - to));
  }
  return instruction;
}

AppliedAlternatives apply_alternatives(KernelServices& services, pkvm::Generation generation,
                                       Module& module) {
  const auto section = module.file.elf().find_section(".altinstructions");
  if (!section || section->index >= module.sections.size()) return {};
  return Patcher(services, generation, module).run(module.sections[section->index]);
}

}  // namespace pkvmemu::kmod
