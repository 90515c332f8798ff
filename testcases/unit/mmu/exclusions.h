// SPDX-License-Identifier: GPL-2.0-only
// Where Unicorn's own walk differs from the Arm ARM. Each row says which rule our walker follows
// instead, which part of PAR_EL1 is compared all the same, and which test pins our answer.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "random_tables.h"

namespace pkvmemu::mmu {

/// One walk of ours, as an exclusion sees it.
struct WalkCase {
  const Registers& registers;
  AtScope scope;
  Va va;
  std::optional<Fault> fault;
  MemoryAttributes attributes;  ///< of a walk without fault
  Descriptor faulting = 0;      ///< the descriptor that the fault is about, if any
  Descriptor stage1_leaf = 0;   ///< when stage 1 found one
  unsigned stage1_level = 0;
};

inline constexpr std::uint64_t par_fault = bit(0);
inline constexpr std::uint64_t par_fst = low_mask(6) << 1U;
inline constexpr std::uint64_t par_ptw = bit(8);
inline constexpr std::uint64_t par_stage2 = bit(9);
inline constexpr std::uint64_t par_address = low_mask(48) & ~low_mask(12);
inline constexpr std::uint64_t par_attributes = low_mask(8) << 56U;
/// What must agree whenever no exclusion says otherwise: of a fault, and of a translation. SH is
/// not compared: Unicorn reports the field of the descriptor, the Arm ARM what it amounts to.
inline constexpr std::uint64_t compared_of_fault = par_fault | par_fst | par_ptw | par_stage2;
inline constexpr std::uint64_t compared_of_translation = par_fault | par_address;

struct Exclusion {
  std::string_view name;
  std::string_view rule;
  std::array<std::string_view, 3> pinned_by;  ///< Suite.Test, of this binary
  bool (*applies)(const WalkCase&);
  std::uint64_t still_compared;  ///< bits of PAR_EL1
};

namespace detail {

inline bool out_of_range(std::uint64_t tcr, unsigned position) {
  const auto txsz = bits(tcr, position + 5, position);
  return txsz < min_txsz || txsz > max_txsz;
}

inline bool size_out_of_range(const WalkCase& walk) {
  const Registers& regs = walk.registers;
  if (walk.scope == AtScope::el2)
    return (regs.el2.sctlr & sctlr::m) != 0 && out_of_range(regs.el2.tcr, 0);
  if (stage1_enabled(regs.el1) &&
      out_of_range(regs.el1.stage1.tcr, test_bit(walk.va.value, 55) ? 16 : 0))
    return true;
  return stage2_enabled(regs.el1.stage2) && out_of_range(regs.el1.stage2.vtcr, 0);
}

inline const Granule& granule_of(const WalkCase& walk, Stage stage) {
  const Registers& regs = walk.registers;
  if (stage == Stage::two) return *granule_by_tg0[bits(regs.el1.stage2.vtcr, 15, 14)];
  if (walk.scope == AtScope::el2) return *granule_by_tg0[bits(regs.el2.tcr, 15, 14)];
  const std::uint64_t tcr = regs.el1.stage1.tcr;
  return test_bit(walk.va.value, 55) ? *granule_by_tg1[bits(tcr, 31, 30)]
                                     : *granule_by_tg0[bits(tcr, 15, 14)];
}

inline bool is_block(Descriptor descriptor) {
  return (descriptor & 3) == 1;
}

inline bool reserved_block(const WalkCase& walk) {
  return walk.fault && walk.fault->type == FaultType::translation && is_block(walk.faulting) &&
         walk.fault->level < granule_of(walk, walk.fault->stage).first_block_level;
}

inline bool reserved_address_bits(const WalkCase& walk) {
  const Granule& granule = granule_of(walk, Stage::one);
  const std::uint64_t reserved =
      low_mask(granule.shift_at(walk.stage1_level)) & ~low_mask(granule.page_bits);
  return is_block(walk.stage1_leaf) && (walk.stage1_leaf & reserved) != 0;
}

inline bool device_meets_normal(const WalkCase& walk) {
  return !walk.fault && walk.scope == AtScope::el1_both_stages && walk.attributes.is_device();
}

inline bool fault_is(const WalkCase& walk, FaultType type) {
  return walk.fault && walk.fault->type == type;
}

}  // namespace detail

inline constexpr std::array<Exclusion, 8> exclusions{{
    {"TxSZ out of range",
     "Arm ARM D8.2.3: outside [16, 39] a level-0 translation fault is allowed; Unicorn clamps",
     {"El1Stage1Test.SizesOutOfRangeFault", "Stage2Test.SizesOutOfRangeFault"},
     detail::size_out_of_range,
     0},
    {"address size",
     "Arm ARM D8.2.5: table and output addresses past {I}PS or PARange fault; Unicorn never does",
     {"El1Stage1Test.AddressesPastTheOutputSize", "El1Stage1Test.MmuOffIsFlat",
      "Stage2Test.OutputsPastThePhysicalSize"},
     [](const WalkCase& walk) { return detail::fault_is(walk, FaultType::address_size); },
     0},
    {"external abort",
     "Arm ARM D8.15.1: a table that does not answer is an external abort on the walk; Unicorn "
     "reads "
     "zero",
     {"El1Stage1Test.TablesOutsideMemoryAbort", "Stage2Test.TablesOutsideMemoryAbort"},
     [](const WalkCase& walk) { return detail::fault_is(walk, FaultType::external_abort); },
     0},
    {"reserved block",
     "Arm ARM D8.3.1: a block at a level without blocks is invalid; Unicorn takes it as a block",
     {"El1Stage1Test.ABlockAtLevel0IsInvalid", "El1Stage1Test.LargeGranulesHaveTheirOwnShape"},
     detail::reserved_block,
     0},
    {"reserved address bits",
     "Arm ARM D8.3.1: bits of a block's address below its size are RES0 and ignored; Unicorn ORs "
     "them into the output",
     {"El1Stage1Test.BlocksTranslateTheirLowBits"},
     detail::reserved_address_bits,
     0},
    {"stage 2 on a stage-1 walk",
     "Arm ARM D8.15.2: type and level are those of the stage-2 lookup; Unicorn reports a "
     "translation fault of the stage-1 level (a second walk, of stage 2 alone, compares ours)",
     {"TwoStageTest.AStage2FaultOfTheTableWalk", "TwoStageTest.ProtectedTableWalk"},
     [](const WalkCase& walk) { return walk.fault && walk.fault->s1ptw; },
     par_fault | par_ptw | par_stage2},
    {"memory type: Device meets Normal",
     "Arm ARM D8.6.5: the result is the Device type; Unicorn takes the stricter low nibble",
     {"TwoStageTest.AttributesCombine"},
     detail::device_meets_normal,
     compared_of_translation},
    {"memory type: default cacheable",
     "Arm ARM, HCR_EL2.DC: stage 1 is then write-back; Unicorn calls it Device",
     {"TwoStageTest.DefaultCacheableAndTrapGeneral"},
     [](const WalkCase& walk) {
       return !walk.fault && walk.scope != AtScope::el2 &&
              (walk.registers.el1.stage2.hcr & hcr::dc) != 0;
     },
     compared_of_translation},
}};

/// Whether the row takes away from result, PA, S, PTW or FST, and not just from the memory type.
constexpr bool excludes_the_walk(const Exclusion& row) {
  return row.still_compared != compared_of_translation;
}

inline const Exclusion* exclusion_of(const WalkCase& walk) {
  for (const Exclusion& row : exclusions)
    if (row.applies(walk)) return &row;
  return nullptr;
}

}  // namespace pkvmemu::mmu
