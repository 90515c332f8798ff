// SPDX-License-Identifier: GPL-2.0-only
// The oracle: Unicorn walking tables by itself (UC_TLB_CPU). It executes AT instructions at EL3, in
// batches, so that EL1 and EL2 can have any translation registers, and it fetches one instruction
// at a given level and address to see whether that level may execute there.
#pragma once

#include <unicorn/unicorn.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "mmu/translate.h"

namespace pkvmemu::mmu {

/// Memory of the oracle: RAM that is all zeros (every word is an undefined instruction), tables,
/// and the code and records of the AT loop. Nothing else answers.
inline constexpr std::uint64_t ram_base = 0x4000'0000, ram_size = 0x4000'0000;
inline constexpr std::uint64_t tables_base = 0x8000'0000, tables_size = 0x200'0000;
inline constexpr std::uint64_t loop_base = 0xc000'0000, loop_size = 0x10'0000;

enum class AtScope : std::uint8_t { el1_stage1, el1_both_stages, el2 };

struct AtOp {
  std::string_view name;
  AtScope scope;
  Access access;
  bool pan = false;
};

/// Row n is the n-th instruction of the AT loop.
inline constexpr std::array<AtOp, 12> at_ops{{
    {"S1E1R", AtScope::el1_stage1, {AccessKind::read, Privilege::privileged}},
    {"S1E1W", AtScope::el1_stage1, {AccessKind::write, Privilege::privileged}},
    {"S1E0R", AtScope::el1_stage1, {AccessKind::read, Privilege::unprivileged}},
    {"S1E0W", AtScope::el1_stage1, {AccessKind::write, Privilege::unprivileged}},
    {"S1E2R", AtScope::el2, {AccessKind::read, Privilege::privileged}},
    {"S1E2W", AtScope::el2, {AccessKind::write, Privilege::privileged}},
    {"S12E1R", AtScope::el1_both_stages, {AccessKind::read, Privilege::privileged}},
    {"S12E1W", AtScope::el1_both_stages, {AccessKind::write, Privilege::privileged}},
    {"S12E0R", AtScope::el1_both_stages, {AccessKind::read, Privilege::unprivileged}},
    {"S12E0W", AtScope::el1_both_stages, {AccessKind::write, Privilege::unprivileged}},
    {"S1E1RP", AtScope::el1_stage1, {AccessKind::read, Privilege::privileged}, true},
    {"S1E1WP", AtScope::el1_stage1, {AccessKind::write, Privilege::privileged}, true},
}};

inline constexpr std::uint64_t at_s12e1r = 6;
static_assert(at_ops[at_s12e1r].name == "S12E1R");

/// One AT instruction of a batch; the layout is that of the AT loop.
struct AtRecord {
  std::uint64_t va;
  std::uint64_t code;  ///< filled by run()
  std::uint64_t par;   ///< the answer
  std::uint64_t op;    ///< row of at_ops
};

enum class FetchLevel : std::uint8_t { el0, el1, el2 };

struct FetchOutcome {
  bool executed = false;
  std::uint64_t syndrome = 0;  ///< ESR of the prefetch abort otherwise,
  std::uint64_t hpfar = 0;     ///< and HPFAR_EL2, which only stage-2 aborts write
};

class AtEngine {
 public:
  AtEngine();

  /// The tables region, for the generator to write and our walker to read.
  [[nodiscard]] std::span<std::uint64_t> tables() { return tables_; }

  void load(const El1Regime& el1, const El2Regime& el2);
  /// Executes every record's instruction and fills in its PAR_EL1.
  void run(std::span<AtRecord> records);
  FetchOutcome fetch(FetchLevel level, Va va);

 private:
  struct Close {
    void operator()(uc_engine* engine) const { uc_close(engine); }
  };
  struct SystemRegister {
    std::uint32_t op0, op1, crn, crm, op2;
  };

  static void on_exception(uc_engine* engine, std::uint32_t index, void* self) noexcept;
  void write(SystemRegister reg, std::uint64_t value);
  std::uint64_t read(SystemRegister reg);
  void start_at(std::uint64_t pstate, std::uint64_t pc);
  std::uint64_t pending_syndrome();
  void find_pending_syndrome();

  std::vector<std::uint64_t> tables_;
  std::unique_ptr<uc_engine, Close> engine_;
  std::unique_ptr<uc_context, uc_err (*)(uc_context*)> context_;
  std::size_t syndrome_offset_ = 0;
  std::uint32_t exception_ = 0;
};

}  // namespace pkvmemu::mmu
