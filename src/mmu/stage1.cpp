// SPDX-License-Identifier: GPL-2.0-only
#include <array>

#include "mmu/granule.h"
#include "mmu/stage2.h"
#include "mmu/translate.h"
#include "mmu/walk.h"

namespace pkvmemu::mmu {
namespace {

/// Where TCR_ELx keeps what one half of the address space needs. EL2 has one half and no EPD.
struct HalfFields {
  std::uint8_t txsz;
  std::uint8_t tg;
  const std::array<const Granule*, 4>* granules;
  std::uint8_t ps;
  std::uint8_t tbi;
  std::uint8_t tbid;
  std::uint8_t hpd;
  std::uint8_t epd;  ///< no_field where there is none
};
constexpr std::uint8_t no_field = 64;

// Arm ARM, TCR_EL1 and TCR_EL2 (E2H = 0).
constexpr HalfFields el1_low{0, 14, &granule_by_tg0, 32, 37, 51, 41, 7};
constexpr HalfFields el1_high{16, 30, &granule_by_tg1, 32, 38, 52, 42, 23};
constexpr HalfFields el2_fields{0, 14, &granule_by_tg0, 16, 20, 29, 24, no_field};

/// Va bit 55 chooses the half, and is the top bit of a tagged address.
constexpr unsigned half_bit = 55;

/// The highest address bit that counts: below the tag when TBI is set, for instruction fetches only
/// as long as TBID is clear.
unsigned top_bit(std::uint64_t tcr, const HalfFields& fields, AccessKind kind) {
  const bool tagged =
      test_bit(tcr, fields.tbi) && (kind != AccessKind::execute || !test_bit(tcr, fields.tbid));
  return tagged ? half_bit : 63;
}

/// One stage-1 walk, decoded: the parts of it that EL1&0 and EL2 share.
struct Stage1Walk {
  TableWalk tables;
  bool ignore_limits = false;  ///< TCR_ELx.HPD
};

std::expected<Stage1Walk, Fault> decode(std::uint64_t tcr, std::uint64_t ttbr,
                                        const HalfFields& fields, Va va, AccessKind kind,
                                        const Features& features) {
  const auto level0_fault = std::unexpected(fault_of(Stage::one, FaultType::translation, 0));
  const auto txsz = static_cast<unsigned>(bits(tcr, fields.txsz + 5U, fields.txsz));
  if (txsz < min_txsz || txsz > max_txsz) return level0_fault;
  const unsigned input_bits = 64 - txsz;

  // All bits above the input are copies of the half's bit; EL2 has only the half of zeros.
  const unsigned top = top_bit(tcr, fields, kind);
  const std::uint64_t high = bits(va.value, top, input_bits);
  const bool high_half = &fields == &el1_high;
  if (high != (high_half ? low_mask(top + 1 - input_bits) : 0)) return level0_fault;
  if (fields.epd != no_field && test_bit(tcr, fields.epd)) return level0_fault;

  const Granule& granule = *(*fields.granules)[bits(tcr, fields.tg + 1U, fields.tg)];
  const unsigned levels_above_last = (input_bits - 1 - granule.page_bits) / granule.stride;
  return Stage1Walk{.tables = {.granule = &granule,
                               .input_bits = input_bits,
                               .output_bits = output_bits_for(bits(tcr, fields.ps + 2U, fields.ps),
                                                              features.pa_bits),
                               .start_level = last_level - levels_above_last,
                               .base = ttbr,
                               .stage = Stage::one},
                    .ignore_limits = test_bit(tcr, fields.hpd)};
}

/// The permission bits of a leaf, after what the tables above it took away.
struct Stage1Bits {
  bool unprivileged;  ///< AP[1]
  bool read_only;     ///< AP[2]
  bool uxn;           ///< XN in EL2
  bool pxn;
};

Stage1Bits permission_bits(const Leaf& leaf, const Stage1Walk& walk) {
  const TableLimits limits = walk.ignore_limits ? TableLimits{} : leaf.limits;
  return {.unprivileged = test_bit(leaf.descriptor, 6) && !limits.no_unprivileged,
          .read_only = test_bit(leaf.descriptor, 7) || limits.read_only,
          .uxn = test_bit(leaf.descriptor, 54) || limits.uxn,
          .pxn = test_bit(leaf.descriptor, 53) || limits.pxn};
}

/// Arm ARM D8.4.1. What EL0 may write, EL1 never executes; PAN concerns data only.
Permissions el1_permissions(Stage1Bits leaf, const El1Stage1& regs, Privilege privilege) {
  const bool wxn = (regs.sctlr & sctlr::wxn) != 0;
  const bool el0_write = leaf.unprivileged && !leaf.read_only;
  if (privilege == Privilege::unprivileged) {
    const bool never = leaf.uxn || (wxn && el0_write);
    return {.read = leaf.unprivileged, .write = el0_write, .execute = !never};
  }
  const bool data = !regs.pan || !leaf.unprivileged;
  const bool never = leaf.pxn || el0_write || (wxn && !leaf.read_only);
  return {.read = data, .write = data && !leaf.read_only, .execute = !never};
}

/// Arm ARM D8.4.1: EL2 has no unprivileged side, so AP[1] and PXN mean nothing.
Permissions el2_permissions(Stage1Bits leaf, const El2Regime& regs) {
  const bool wxn = (regs.sctlr & sctlr::wxn) != 0;
  const bool never = leaf.uxn || (wxn && !leaf.read_only);
  return {.read = true, .write = !leaf.read_only, .execute = !never};
}

MemoryAttributes attributes_of(Descriptor leaf, std::uint64_t mair) {
  const auto index = static_cast<unsigned>(bits(leaf, 4, 2));
  return effective_attributes({.mair = static_cast<std::uint8_t>(mair >> (8 * index)),
                               .shareability = static_cast<Shareability>(bits(leaf, 9, 8))});
}

/// The MMU is off: addresses pass through, but the tag, and only as far as there is memory
/// (Arm ARM D8.2.10, AArch64.S1DisabledOutput).
template <typename Output>
WalkResult<Output> flat(Va va, unsigned top, MemoryAttributes attributes,
                        const Features& features) {
  const std::uint64_t address = va.value & low_mask(top + 1);
  if (address >> features.pa_bits != 0)
    return std::unexpected(fault_of(Stage::one, FaultType::address_size, 0));
  return Mapping<Output>{.output = Output{address},
                         .size = page_size,
                         .level = last_level,
                         .permissions = all_permissions,
                         .attributes = attributes};
}

constexpr MemoryAttributes attributes_when_off{.mair = 0x00, .shareability = Shareability::outer};

/// Turns a leaf into a mapping, or into the fault of its access flag or permissions, in that order.
template <typename Output>
WalkResult<Output> finish(const Leaf& leaf, Permissions permissions, std::uint64_t mair,
                          AccessKind kind) {
  if (!test_bit(leaf.descriptor, 10))
    return std::unexpected(fault_of(Stage::one, FaultType::access_flag, leaf.level));
  if (!permissions.allow(kind))
    return std::unexpected(fault_of(Stage::one, FaultType::permission, leaf.level));
  return Mapping<Output>{.output = Output{leaf.output},
                         .size = leaf.size,
                         .level = static_cast<std::uint8_t>(leaf.level),
                         .permissions = permissions,
                         .attributes = attributes_of(leaf.descriptor, mair)};
}

}  // namespace

WalkResult<Pa> translate(const El2Regime& regs, Va va, Access access, const WalkContext& context) {
  if ((regs.sctlr & sctlr::m) == 0)
    return flat<Pa>(va, top_bit(regs.tcr, el2_fields, access.kind), attributes_when_off,
                    context.features);
  const auto walk = decode(regs.tcr, regs.ttbr0, el2_fields, va, access.kind, context.features);
  if (!walk) return std::unexpected(walk.error());

  const auto fetch = [&](std::uint64_t address,
                         unsigned level) -> std::expected<Descriptor, Fault> {
    const auto descriptor = context.memory(Pa{address});
    if (!descriptor) return std::unexpected(fault_of(Stage::one, FaultType::external_abort, level));
    return *descriptor;
  };
  const auto leaf = walk_tables(walk->tables, va.value, fetch);
  if (!leaf) return std::unexpected(leaf.error());
  const Permissions permissions = el2_permissions(permission_bits(*leaf, *walk), regs);
  return finish<Pa>(*leaf, permissions, regs.mair, access.kind);
}

WalkResult<Ipa> translate_stage1(const El1Regime& regs, Va va, Access access,
                                 const WalkContext& context) {
  const El1Stage1& stage1 = regs.stage1;
  const bool high = test_bit(va.value, half_bit);
  const HalfFields& fields = high ? el1_high : el1_low;
  if (!stage1_enabled(regs)) {
    const bool cacheable = (regs.stage2.hcr & hcr::dc) != 0;
    return flat<Ipa>(va, top_bit(stage1.tcr, fields, access.kind),
                     cacheable ? neutral_attributes : attributes_when_off, context.features);
  }
  const auto walk = decode(stage1.tcr, high ? stage1.ttbr1 : stage1.ttbr0, fields, va, access.kind,
                           context.features);
  if (!walk) return std::unexpected(walk.error());

  const auto fetch = [&](std::uint64_t address, unsigned level) {
    return read_through_stage2(regs.stage2, Ipa{address}, level, context);
  };
  const auto leaf = walk_tables(walk->tables, va.value, fetch);
  if (!leaf) return std::unexpected(leaf.error());
  const Permissions permissions =
      el1_permissions(permission_bits(*leaf, *walk), stage1, access.privilege);
  return finish<Ipa>(*leaf, permissions, stage1.mair, access.kind);
}

WalkResult<Pa> translate(const El1Regime& regs, Va va, Access access, const WalkContext& context) {
  const auto stage1 = translate_stage1(regs, va, access, context);
  if (!stage1) return std::unexpected(stage1.error());
  if (!stage2_enabled(regs.stage2))
    return Mapping<Pa>{.output = Pa{stage1->output.value},
                       .size = stage1->size,
                       .level = stage1->level,
                       .permissions = stage1->permissions,
                       .attributes = stage1->attributes};

  const auto stage2 = translate(regs.stage2, stage1->output, access, context);
  if (!stage2) return std::unexpected(stage2.error());
  const bool stage1_is_smaller = stage1->size < stage2->size;
  return Mapping<Pa>{.output = stage2->output,
                     .size = stage1_is_smaller ? stage1->size : stage2->size,
                     .level = stage1_is_smaller ? stage1->level : stage2->level,
                     .permissions = stage1->permissions & stage2->permissions,
                     .attributes = combine_attributes(stage1->attributes, stage2->attributes)};
}

}  // namespace pkvmemu::mmu
