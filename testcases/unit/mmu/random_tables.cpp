// SPDX-License-Identifier: GPL-2.0-only
#include "random_tables.h"

#include <algorithm>
#include <array>

#include "support/bits.h"

namespace pkvmemu::mmu {
namespace {

constexpr std::array<const Granule*, 3> granules{&granule_4k, &granule_16k, &granule_64k};
constexpr unsigned cpu_pa_bits = Features{}.pa_bits;

// The tables region: roots of stage 2 (concatenated ones take 1 MiB), roots of stage 1, and a pool
// for the rest; each granule and level has its own part.
constexpr std::uint64_t slot = 0x1'0000, mib = 0x10'0000;
constexpr std::uint64_t stage1_roots = 12 * mib, pool = 16 * mib;
constexpr unsigned pool_slots = 4, levels = 4;
constexpr unsigned gib_shift = 30;

unsigned number_of(const Granule& granule) {
  return static_cast<unsigned>(std::ranges::find(granules, &granule) - granules.begin());
}

std::uint64_t root_area(const Granule& granule, unsigned level, Stage stage, unsigned number) {
  const unsigned part = (number_of(granule) * levels) + level;
  if (stage == Stage::two) return tables_base + (part * mib);
  return tables_base + stage1_roots + (((number * granules.size() * levels) + part) * slot);
}

std::uint64_t pool_area(const Granule& granule, unsigned level, Stage stage) {
  const unsigned stage_number = stage == Stage::two ? 1 : 0;
  const auto part = (((stage_number * granules.size()) + number_of(granule)) * levels) + level;
  return tables_base + pool + (part * pool_slots * slot);
}

}  // namespace

RandomTables::Shape RandomTables::stage1_shape(unsigned root_number) {
  const Granule& granule = *granules[chance(50) ? 0 : below(3)];
  constexpr std::array<unsigned, 4> usual{48, 39, 42, 36};
  const unsigned input_bits =
      chance(50) ? usual[below(usual.size())] : 25 + static_cast<unsigned>(below(24));
  unsigned level = last_level;
  while (input_bits > granule.shift_at(level) + granule.stride)
    --level;
  Shape shape{.granule = &granule, .input_bits = input_bits, .start_level = level};
  const std::uint64_t size = bit(shape.index_bits() + 3);
  shape.root = root_area(granule, level, Stage::one, root_number) + (size * below(slot / size));
  return shape;
}

RandomTables::Shape RandomTables::stage2_shape() {
  const Granule& granule = *granules[chance(50) ? 0 : below(3)];
  const unsigned level = granule.stage2_start[below(3)];
  const unsigned shift = granule.shift_at(level);
  const unsigned smallest = std::max(25U, shift + 1);
  const unsigned largest = std::min(cpu_pa_bits, shift + granule.stride + 4U);
  const auto input_bits = smallest + static_cast<unsigned>(below(largest - smallest + 1));
  Shape shape{
      .granule = &granule, .input_bits = input_bits, .start_level = level, .stage = Stage::two};
  const std::uint64_t size = bit(shape.index_bits() + 3);
  shape.root = root_area(granule, level, Stage::two, 0) + (size * below(mib / size));
  return shape;
}

std::uint64_t RandomTables::txsz_of(const Shape& shape) {
  if (below(200) != 0) return 64 - shape.input_bits;
  return chance(50) ? below(min_txsz) : max_txsz + 1 + below(63 - max_txsz);
}

/// A code of TG0 or TG1 that means the shape's granule; reserved codes mean one too.
std::uint64_t RandomTables::tg_of(const Shape& shape,
                                  const std::array<const Granule*, 4>& granule_by_tg) {
  while (true) {
    const std::uint64_t code = below(granule_by_tg.size());
    if (granule_by_tg[code] == shape.granule) return code;
  }
}

/// The shape's root, or once in a while one past any address size.
std::uint64_t RandomTables::root_of(const Shape& shape) {
  return shape.root | (below(400) == 0 ? bit(47) : 0);
}

/// SL0 as the shape needs it, or once in a while one that does not fit the IPA size.
std::uint64_t RandomTables::sl0_of(const Shape& shape) {
  const Granule& granule = *shape.granule;
  const auto fits = [&](std::uint8_t level) {
    if (level == no_level) return false;
    const unsigned shift = granule.shift_at(level);
    return shape.input_bits > shift && shape.input_bits <= shift + granule.stride + 4U;
  };
  const std::uint64_t other = below(4);
  if (chance(2) && !fits(granule.stage2_start[other])) return other;
  const auto& starts = granule.stage2_start;
  const auto* const own = std::ranges::find(starts, static_cast<std::uint8_t>(shape.start_level));
  return static_cast<std::uint64_t>(own - starts.begin());
}

void RandomTables::randomise_el1() {
  El1Stage1& regs = registers_.el1.stage1;
  low_ = stage1_shape(0);
  high_ = stage1_shape(1);
  const std::uint64_t ips = chance(93) ? 5 : 1 + below(7);
  regs.sctlr = maybe(85, 0) | maybe(30, 19);
  regs.tcr = txsz_of(low_) | (txsz_of(high_) << 16U) | (tg_of(low_, granule_by_tg0) << 14U) |
             (tg_of(high_, granule_by_tg1) << 30U) | (ips << 32U) | maybe(2, 7) | maybe(2, 23) |
             maybe(40, 37) | maybe(40, 38) | maybe(40, 51) | maybe(40, 52) | maybe(25, 41) |
             maybe(25, 42);
  regs.ttbr0 = root_of(low_) | (below(0x10000) << 48U) | maybe(50, 0);
  regs.ttbr1 = root_of(high_) | (below(0x10000) << 48U) | maybe(50, 0);
  regs.mair = 0x00'04'0c'44'bb'ee'f4'ff;
  ipa_bits_ = std::min<unsigned>(address_bits_by_ps[ips], cpu_pa_bits);
}

void RandomTables::randomise_el2() {
  El2Regime& regs = registers_.el2;
  el2_ = stage1_shape(2);
  const std::uint64_t ps = chance(93) ? 5 : 1 + below(7);
  regs.sctlr = maybe(95, 0) | maybe(30, 19);
  regs.tcr = txsz_of(el2_) | (tg_of(el2_, granule_by_tg0) << 14U) | (ps << 16U) | maybe(40, 20) |
             maybe(40, 29) | maybe(25, 24);
  regs.ttbr0 = root_of(el2_) | maybe(50, 0);
  regs.mair = 0x00'04'0c'44'bb'ee'f4'ff;
}

void RandomTables::randomise_stage2() {
  Stage2& regs = registers_.el1.stage2;
  stage2_ = stage2_shape();
  const std::uint64_t ps = chance(93) ? 5 : 1 + below(7);
  regs.hcr = maybe(60, 0) | maybe(20, 2) | maybe(2, 12) | maybe(2, 27);
  regs.vtcr = txsz_of(stage2_) | (sl0_of(stage2_) << 6U) | (tg_of(stage2_, granule_by_tg0) << 14U) |
              (ps << 16U);
  regs.vttbr = root_of(stage2_) | (below(0x100) << 48U);

  const bool on = stage2_enabled(regs);
  low_.through_stage2 = high_.through_stage2 = on;
  if (!on) return;
  ipa_bits_ = std::min(ipa_bits_, stage2_.input_bits);
  table_ipa_ =
      ipa_bits_ > gib_shift && chance(80) ? below(bit(ipa_bits_ - gib_shift)) << gib_shift : 0;
  registers_.el1.stage1.ttbr0 += table_ipa_ - tables_base;
  registers_.el1.stage1.ttbr1 += table_ipa_ - tables_base;
  const unsigned top = std::max<unsigned>(stage2_.start_level, stage2_.granule->first_block_level);
  table_leaf_level_ = top + static_cast<unsigned>(below(last_level - top + 1));
}

void RandomTables::next_registers() {
  randomise_el1();
  randomise_el2();
  randomise_stage2();
}

std::uint64_t RandomTables::random_va(const Shape& shape, bool high_half) {
  const std::uint64_t inside = low_mask(shape.input_bits);
  std::uint64_t va = (random_() & inside) | (high_half ? ~inside : 0);
  if (chance(3)) va ^= bit(shape.input_bits + static_cast<unsigned>(below(64 - shape.input_bits)));
  if (chance(8)) va ^= random_() << 56U;
  return va;
}

std::uint64_t RandomTables::random_physical(unsigned shift) {
  const std::uint64_t kind = below(100);
  if (kind < 94) return ram_base + (random_() & low_mask(30) & ~low_mask(shift));
  return random_() & low_mask(kind < 99 ? 32 : descriptor_address_bits) & ~low_mask(shift);
}

std::uint64_t RandomTables::random_output(const Shape& shape, unsigned shift) {
  if (!shape.through_stage2) return random_physical(shift);
  std::uint64_t ipa =
      random_() & low_mask(chance(99) ? ipa_bits_ : descriptor_address_bits) & ~low_mask(shift);
  // Data blocks in the tables' own GiB would hide the tables.
  if (ipa_bits_ > gib_shift && (ipa ^ table_ipa_) >> gib_shift == 0) ipa ^= bit(gib_shift);
  return ipa;
}

unsigned RandomTables::random_leaf_level(const Shape& shape) {
  const auto level =
      shape.start_level + static_cast<unsigned>(below(last_level - shape.start_level + 1));
  if (shape.granule->has_leaf_at(level) || chance(5)) return level;
  return shape.granule->first_block_level +
         static_cast<unsigned>(below(last_level - shape.granule->first_block_level + 1));
}

Descriptor RandomTables::stage1_leaf_bits() {
  const Descriptor software =
      random_() & (low_mask(4) << 55U | bit(52) | bit(51) | bit(11) | bit(5));
  const Descriptor type = below(8) << 2 | below(4) << 8;
  const Descriptor permissions =
      (chance(50) ? bit(6) : below(4) << 6) | maybe(25, 53) | maybe(25, 54);
  return software | type | permissions | maybe(93, 10);
}

Descriptor RandomTables::stage2_leaf_bits(unsigned fault_percent) {
  const Descriptor software = random_() & (low_mask(4) << 55U | bit(52) | bit(51));
  // MemAttr with a reserved inner half (xx00 that is not Device) is no memory type at all.
  constexpr std::array<Descriptor, 13> types{0, 1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15};
  const Descriptor type = (chance(70) ? 0xf : types[below(types.size())]) << 2 | below(4) << 8;
  if (!chance(fault_percent)) return software | type | bit(6) | bit(7) | bit(10) | maybe(20, 53);
  return software | type | below(4) << 6 | below(4) << 53 | maybe(50, 10);
}

Descriptor RandomTables::random_table(const Shape& shape, unsigned level) {
  const std::uint64_t page = bit(shape.granule->page_bits);
  std::uint64_t address =
      pool_area(*shape.granule, level, shape.stage) + (page * below(pool_slots * slot / page));
  if (shape.through_stage2) address = address - tables_base + table_ipa_;
  if (below(200) == 0) address = random_() & low_mask(descriptor_address_bits) & ~(page - 1);
  Descriptor limits = 0;
  for (unsigned position = 59; position < 63; ++position)
    limits |= maybe(4, position);
  return address | limits | (random_() & (low_mask(7) << 52U | 0xffcU)) | 3U;
}

Descriptor* RandomTables::entry_at(std::uint64_t pa) {
  if (pa < tables_base || pa >= tables_base + tables_size) return nullptr;
  return &tables_[(pa - tables_base) / sizeof(Descriptor)];
}

/// The entry for `input` at `leaf_level`, with tables above it: existing ones for the most part.
/// Nothing when a table on the way has been pointed out of the region.
Descriptor* RandomTables::descend(const Shape& shape, std::uint64_t input, unsigned leaf_level) {
  const Granule& granule = *shape.granule;
  const std::uint64_t field = low_mask(descriptor_address_bits) & ~low_mask(granule.page_bits);
  std::uint64_t table = shape.root;
  unsigned index_bits = shape.index_bits();
  for (unsigned level = shape.start_level;; ++level) {
    const std::uint64_t index = (input >> granule.shift_at(level)) & low_mask(index_bits);
    const std::uint64_t place = table + (index * sizeof(Descriptor));
    Descriptor* const entry = entry_at(place);
    if (entry == nullptr) return nullptr;
    if (shape.through_stage2) show_table(place);
    if (level == leaf_level) return entry;

    const std::uint64_t origin = shape.through_stage2 ? table_ipa_ - tables_base : 0;
    const bool kept =
        (*entry & 3) == 3 && chance(90) && entry_at((*entry & field) - origin) != nullptr;
    if (!kept) *entry = random_table(shape, level + 1);
    table = (*entry & field) - origin;
    index_bits = granule.stride;
  }
}

/// Makes stage 2 map a stage-1 table, with few exceptions: a walk meets several.
void RandomTables::show_table(std::uint64_t pa) {
  const std::uint64_t ipa = pa - tables_base + table_ipa_;
  if (ipa >> stage2_.input_bits != 0) return;
  Descriptor* const entry = descend(stage2_, ipa, table_leaf_level_);
  if (entry == nullptr) return;
  const std::uint64_t output = align_down(pa, bit(stage2_.granule->shift_at(table_leaf_level_)));
  const Descriptor valid = table_leaf_level_ == last_level ? 3 : 1;
  *entry = output | stage2_leaf_bits(2) | (below(200) != 0 ? valid : 0);
}

void RandomTables::plant_stage2(std::uint64_t ipa) {
  if (ipa >> stage2_.input_bits != 0) return;
  const unsigned level = random_leaf_level(stage2_);
  Descriptor* const entry = descend(stage2_, ipa, level);
  if (entry == nullptr) return;
  const Descriptor valid = level == last_level ? 3 : 1;
  *entry = random_physical(stage2_.granule->shift_at(level)) | stage2_leaf_bits(20) |
           (chance(94) ? valid : 0);
}

void RandomTables::plant_stage1(const Shape& shape, std::uint64_t va) {
  const unsigned level = random_leaf_level(shape);
  const unsigned shift = shape.granule->shift_at(level);
  const std::uint64_t output = random_output(shape, shift);
  // First what the output needs, then the tables: the later path spoils the earlier one.
  if (shape.through_stage2) plant_stage2(output | (va & low_mask(shift)));
  Descriptor* const entry = descend(shape, va, level);
  if (entry == nullptr) return;
  const Descriptor valid = level == last_level ? 3 : 1;
  *entry = output | stage1_leaf_bits() | (chance(94) ? valid : 0);
}

AtRecord RandomTables::next_case() {
  const std::uint64_t op = below(at_ops.size());
  const auto record = [op](std::uint64_t va) {
    return AtRecord{.va = va, .code = 0, .par = 0, .op = op};
  };
  if (at_ops[op].scope == AtScope::el2) {
    const std::uint64_t va = random_va(el2_, chance(1));
    plant_stage1(el2_, va);
    return record(va);
  }
  if (stage1_enabled(registers_.el1)) {
    const bool high_half = chance(50);
    const Shape& shape = high_half ? high_ : low_;
    const std::uint64_t va = random_va(shape, high_half);
    plant_stage1(shape, va);
    return record(va);
  }
  const std::uint64_t ipa = random_() & low_mask(chance(97) ? ipa_bits_ : 64);
  if (stage2_enabled(registers_.el1.stage2)) plant_stage2(ipa);
  return record(ipa);
}

}  // namespace pkvmemu::mmu
