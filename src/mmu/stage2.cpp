// SPDX-License-Identifier: GPL-2.0-only
#include "mmu/stage2.h"

#include "mmu/granule.h"
#include "mmu/walk.h"

namespace pkvmemu::mmu {
namespace {

/// Up to 16 tables can stand side by side in place of one more level (Arm ARM D8.2.2).
constexpr unsigned concatenation_bits = 4;

Fault at_ipa(Fault fault, Ipa ipa) {
  fault.ipa = ipa;
  return fault;
}

/// Decodes VTCR_EL2; nothing when start level, IPA size and PA size do not fit together, which is a
/// level-0 translation fault (Arm ARM D8.2.2, AArch64.S2InvalidSL, AArch64.S2InconsistentSL).
std::optional<TableWalk> decode(const Stage2& regs, const Features& features) {
  const Granule& granule = *granule_by_tg0[bits(regs.vtcr, 15, 14)];
  const auto txsz = static_cast<unsigned>(bits(regs.vtcr, 5, 0));
  if (txsz < min_txsz || txsz > max_txsz) return std::nullopt;
  const unsigned input_bits = 64 - txsz;
  if (input_bits > features.pa_bits) return std::nullopt;

  const unsigned level = granule.stage2_start[bits(regs.vtcr, 7, 6)];
  if (level == no_level) return std::nullopt;
  if (level == granule.top_start_level && features.pa_bits < granule.top_start_pa_bits)
    return std::nullopt;
  const unsigned below = granule.shift_at(level);
  if (input_bits <= below || input_bits > below + granule.stride + concatenation_bits)
    return std::nullopt;

  return TableWalk{.granule = &granule,
                   .input_bits = input_bits,
                   .output_bits = output_bits_for(bits(regs.vtcr, 18, 16), features.pa_bits),
                   .start_level = level,
                   .base = regs.vttbr,
                   .stage = Stage::two};
}

/// S2AP and XN[1:0] (Arm ARM D8.4.2). Without FEAT_XNX, XN[0] is RES0.
Permissions permissions_of(Descriptor leaf, Privilege privilege, const Features& features) {
  const std::uint64_t xn = bits(leaf, 54, 53);
  const bool other_level_only =
      features.xnx && (xn & 1) != 0 && (xn == 1) == (privilege == Privilege::privileged);
  const bool never = features.xnx ? xn == 2 : (xn & 2) != 0;
  return {.read = test_bit(leaf, 6),
          .write = test_bit(leaf, 7),
          .execute = !never && !other_level_only};
}

/// MemAttr[3:0] to a MAIR byte; the inner encoding 0 is reserved and taken as non-cacheable.
MemoryAttributes attributes_of(Descriptor leaf) {
  const auto outer = static_cast<unsigned>(bits(leaf, 5, 4));
  const auto inner = static_cast<unsigned>(bits(leaf, 3, 2));
  const auto shareability = static_cast<Shareability>(bits(leaf, 9, 8));
  if (outer == 0)
    return {.mair = static_cast<std::uint8_t>(inner << 2), .shareability = Shareability::outer};
  // Non-cacheable, write-through, write-back; the last two with read and write allocation.
  constexpr std::array<std::uint8_t, 4> nibbles{0x4, 0x4, 0xb, 0xf};
  const unsigned mair = (static_cast<unsigned>(nibbles[outer]) << 4) | nibbles[inner];
  return effective_attributes(
      {.mair = static_cast<std::uint8_t>(mair), .shareability = shareability});
}

/// One nibble of MAIR: non-cacheable beats write-through beats write-back; the allocation hints are
/// those of stage 1.
unsigned combine_nibble(unsigned stage1, unsigned stage2) {
  constexpr unsigned non_cacheable = 0x4;
  const auto write_through = [](unsigned nibble) { return (nibble & 0x4) == 0; };
  if (stage1 == non_cacheable || stage2 == non_cacheable) return non_cacheable;
  if (write_through(stage1) || !write_through(stage2)) return stage1;
  return 0x8 | (stage1 & 0x3);
}

Shareability combine(Shareability a, Shareability b) {
  if (a == Shareability::outer || b == Shareability::outer) return Shareability::outer;
  if (a == Shareability::inner || b == Shareability::inner) return Shareability::inner;
  return Shareability::none;
}

}  // namespace

MemoryAttributes effective_attributes(MemoryAttributes attributes) {
  constexpr std::uint8_t normal_non_cacheable = 0x44;
  if (attributes.is_device() || attributes.mair == normal_non_cacheable)
    attributes.shareability = Shareability::outer;
  return attributes;
}

MemoryAttributes combine_attributes(MemoryAttributes stage1, MemoryAttributes stage2) {
  if (stage1.is_device() && stage2.is_device())
    return {.mair = std::min(stage1.mair, stage2.mair), .shareability = Shareability::outer};
  if (stage1.is_device()) return effective_attributes(stage1);
  if (stage2.is_device()) return effective_attributes(stage2);
  const unsigned outer = combine_nibble(stage1.mair >> 4U, stage2.mair >> 4U);
  const unsigned inner = combine_nibble(stage1.mair & 0xfU, stage2.mair & 0xfU);
  return effective_attributes({.mair = static_cast<std::uint8_t>((outer << 4) | inner),
                               .shareability = combine(stage1.shareability, stage2.shareability)});
}

WalkResult<Pa> translate(const Stage2& regs, Ipa ipa, Access access, const WalkContext& context) {
  if (!stage2_enabled(regs))
    return Mapping<Pa>{.output = Pa{ipa.value},
                       .size = page_size,
                       .level = last_level,
                       .permissions = all_permissions,
                       .attributes = neutral_attributes};

  const auto walk = decode(regs, context.features);
  if (!walk || ipa.value >> walk->input_bits != 0)
    return std::unexpected(at_ipa(fault_of(Stage::two, FaultType::translation, 0), ipa));

  const auto fetch = [&](std::uint64_t address,
                         unsigned level) -> std::expected<Descriptor, Fault> {
    const auto descriptor = context.memory(Pa{address});
    if (!descriptor) return std::unexpected(fault_of(Stage::two, FaultType::external_abort, level));
    return *descriptor;
  };
  const auto leaf = walk_tables(*walk, ipa.value, fetch);
  if (!leaf) return std::unexpected(at_ipa(leaf.error(), ipa));

  const auto refuse = [&](FaultType type) {
    return std::unexpected(at_ipa(fault_of(Stage::two, type, leaf->level), ipa));
  };
  if (!test_bit(leaf->descriptor, 10)) return refuse(FaultType::access_flag);
  const Permissions permissions =
      permissions_of(leaf->descriptor, access.privilege, context.features);
  if (!permissions.allow(access.kind)) return refuse(FaultType::permission);
  return Mapping<Pa>{.output = Pa{leaf->output},
                     .size = leaf->size,
                     .level = static_cast<std::uint8_t>(leaf->level),
                     .permissions = permissions,
                     .attributes = attributes_of(leaf->descriptor)};
}

std::expected<Descriptor, Fault> read_through_stage2(const Stage2& regs, Ipa address,
                                                     unsigned level, const WalkContext& context) {
  // A table walk is a read on nobody's behalf: stage 2 asks for S2AP[0] and nothing else.
  const auto mapping = translate(regs, address, Access{.kind = AccessKind::read}, context);
  if (!mapping) {
    Fault fault = mapping.error();
    fault.s1ptw = true;
    return std::unexpected(fault);
  }
  // HCR_EL2.PTW: tables in what stage 2 calls Device memory are refused.
  if ((regs.hcr & hcr::ptw) != 0 && mapping->attributes.is_device())
    return std::unexpected(Fault{.type = FaultType::permission,
                                 .level = mapping->level,
                                 .stage = Stage::two,
                                 .s1ptw = true,
                                 .ipa = address});
  const auto descriptor = context.memory(mapping->output);
  if (!descriptor) return std::unexpected(fault_of(Stage::one, FaultType::external_abort, level));
  return *descriptor;
}

}  // namespace pkvmemu::mmu
