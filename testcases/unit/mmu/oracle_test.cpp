// SPDX-License-Identifier: GPL-2.0-only
// Our walkers against Unicorn's own, a million walks at a time. PKVMEMU_SEED repeats a run,
// PKVMEMU_WALKS sets its length.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "exclusions.h"
#include "harness/random_seed.h"
#include "random_tables.h"

namespace pkvmemu::mmu {
namespace {

/// Reads the tables region and RAM as Unicorn does, and remembers the last descriptor.
class Tables {
 public:
  explicit Tables(std::span<const std::uint64_t> words) : words_(words) {}

  std::optional<Descriptor> operator()(Pa pa) {
    last = 0;
    if (pa.value >= ram_base && pa.value < ram_base + ram_size) return last;
    if (pa.value < tables_base || pa.value >= tables_base + tables_size) return std::nullopt;
    last = words_[(pa.value - tables_base) / sizeof(Descriptor)];
    return last;
  }

  Descriptor last = 0;

 private:
  std::span<const std::uint64_t> words_;
};

struct Outcome {
  std::uint64_t par = 0;
  std::optional<Fault> fault;
  std::uint64_t output = 0;
  unsigned level = 0;
  MemoryAttributes attributes;
  Descriptor last = 0;  ///< the last descriptor read
};

/// `translate_it(context)` with a memory that starts to remember here.
template <typename Translate>
Outcome observe(Tables& tables, const Translate& translate_it) {
  tables.last = 0;
  const auto result = translate_it(WalkContext{.memory = tables});
  Outcome outcome;
  outcome.par = encode_par(result);
  outcome.last = tables.last;
  if (!result) {
    outcome.fault = result.error();
    return outcome;
  }
  outcome.output = result->output.value;
  outcome.level = result->level;
  outcome.attributes = result->attributes;
  return outcome;
}

/// Walks, and collects what the exclusions want to know.
std::pair<Outcome, WalkCase> walk(const Registers& registers, AtScope scope, Va va, Access access,
                                  Tables& tables) {
  const El1Regime& el1 = registers.el1;
  const auto el2 = [&](const WalkContext& context) {
    return translate(registers.el2, va, access, context);
  };
  const auto el1_stage1 = [&](const WalkContext& context) {
    return translate_stage1(el1, va, access, context);
  };
  const Outcome stage1 = scope == AtScope::el2 ? observe(tables, el2) : observe(tables, el1_stage1);
  const Outcome whole =
      scope != AtScope::el1_both_stages ? stage1 : observe(tables, [&](const WalkContext& context) {
        return translate(el1, va, access, context);
      });
  WalkCase seen{.registers = registers,
                .scope = scope,
                .va = va,
                .fault = whole.fault,
                .attributes = whole.attributes,
                .faulting = whole.last,
                .stage1_leaf = stage1.fault ? 0 : stage1.last,
                .stage1_level = stage1.level};
  if (whole.fault && whole.fault->stage == Stage::two) {
    const Outcome stage2 = observe(tables, [&](const WalkContext& context) {
      return translate(el1.stage2, whole.fault->ipa, access, context);
    });
    seen.faulting = stage2.last;
  }
  return {whole, seen};
}

std::string print(const Registers& registers) {
  const auto& [stage1, stage2] = registers.el1;
  return fmt::format(
      "SCTLR_EL1 {:#x} TCR_EL1 {:#x} TTBR0 {:#x} TTBR1 {:#x} HCR {:#x} VTCR {:#x} VTTBR {:#x}\n"
      "SCTLR_EL2 {:#x} TCR_EL2 {:#x} TTBR0_EL2 {:#x}",
      stage1.sctlr, stage1.tcr, stage1.ttbr0, stage1.ttbr1, stage2.hcr, stage2.vtcr, stage2.vttbr,
      registers.el2.sctlr, registers.el2.tcr, registers.el2.ttbr0);
}

/// What a walk goes through, for the histogram.
std::string path_of(const Registers& registers, AtScope scope) {
  if (scope == AtScope::el2) return "EL2";
  const bool stage1 = stage1_enabled(registers.el1);
  const bool stage2 = stage2_enabled(registers.el1.stage2);
  if (!stage2) return stage1 ? "EL1 stage 1" : "EL1 off";
  if (!stage1) return scope == AtScope::el1_both_stages ? "stage 2" : "EL1 off";
  return scope == AtScope::el1_both_stages ? "EL1 stage 1+2" : "EL1 stage 1 via 2";
}

std::string kind_of(const Outcome& outcome) {
  if (!outcome.fault) return fmt::format("valid, level {}", outcome.level);
  constexpr std::array<std::string_view, 5> names{"address size", "translation", "access flag",
                                                  "permission", "external abort"};
  const Fault& fault = *outcome.fault;
  std::string stage;
  if (fault.stage == Stage::two) stage = fault.s1ptw ? "table walk, stage-2 " : "stage-2 ";
  return fmt::format("{}{} fault, level {}", stage, names[static_cast<std::size_t>(fault.type)],
                     fault.level);
}

FetchLevel fetch_level_of(const AtOp& op) {
  if (op.scope == AtScope::el2) return FetchLevel::el2;
  return op.access.privilege == Privilege::privileged ? FetchLevel::el1 : FetchLevel::el0;
}

enum class FaultStatus : std::uint8_t { compared, excluded };

/// Whether a prefetch abort is the fault that we expect, in IFSC, S1PTW and HPFAR_EL2.
bool same_abort(const Fault& fault, const FetchOutcome& abort, FaultStatus status) {
  if (status == FaultStatus::compared && bits(abort.syndrome, 5, 0) != fault.status_code())
    return false;
  if (test_bit(abort.syndrome, 7) != fault.s1ptw) return false;
  // HPFAR_EL2.FIPA holds address bits from 12 up, at bit 4.
  return fault.stage == Stage::one || bits(abort.hpfar, 39, 4) == fault.ipa.value >> page_shift;
}

/// Walks whole batches and counts what came of them.
class Comparison {
 public:
  explicit Comparison(std::uint64_t seed) : random_(seed, engine_.tables()) {}

  void run(std::uint64_t wanted) {
    constexpr std::uint64_t batch = 100;
    std::vector<AtRecord> records(batch);
    while (walks < wanted && mismatches < max_mismatches) {
      random_.next_registers();
      engine_.load(random_.registers().el1, random_.registers().el2);
      for (AtRecord& record : records)
        record = random_.next_case();
      engine_.run(records);
      for (const AtRecord& record : records)
        compare(record);
      repeat_table_walks();
      for (std::size_t index = 0; index < fetches_per_batch; ++index)
        fetch(records[index]);
    }
  }

  void print_counts() const {
    for (const auto& [name, count] : histogram)
      fmt::print("{:>9} {}\n", count, name);
    for (std::size_t row = 0; row < exclusions.size(); ++row)
      fmt::print("{:>9} excluded: {} ({})\n", excluded[row], exclusions[row].name,
                 exclusions[row].rule);
    fmt::print("{:>9} stage-2 faults of table walks repeated with stage 1 off\n", table_walks);
    fmt::print("{} walks: {} valid, {} faults, {} excluded; {} fetches: {} ran, {} aborted\n",
               walks, valid, faults, excluded_walks(), fetches, fetches_run, fetches - fetches_run);
  }
  [[nodiscard]] std::uint64_t excluded_walks() const {
    std::uint64_t sum = 0;
    for (std::size_t row = 0; row < exclusions.size(); ++row)
      if (excludes_the_walk(exclusions[row])) sum += excluded[row];
    return sum;
  }

  std::uint64_t walks = 0, valid = 0, faults = 0, mismatches = 0;
  std::uint64_t fetches = 0, fetches_run = 0, table_walks = 0;
  std::array<std::uint64_t, exclusions.size()> excluded{};
  std::map<std::string, std::uint64_t> histogram;

 private:
  static constexpr std::uint64_t max_mismatches = 5;
  static constexpr std::size_t fetches_per_batch = 12;

  void compare(const AtRecord& record) {
    const AtOp& op = at_ops[record.op];
    Registers registers = random_.registers();
    registers.el1.stage1.pan = op.pan;
    const auto [ours, seen] = walk(registers, op.scope, Va{record.va}, op.access, tables_);
    ++walks;
    ++(ours.fault ? faults : valid);
    ++histogram[path_of(registers, op.scope) + ": " + kind_of(ours)];

    std::uint64_t mask = ours.fault ? compared_of_fault : compared_of_translation | par_attributes;
    if (const Exclusion* row = exclusion_of(seen)) {
      mask = row->still_compared;
      ++excluded[static_cast<std::size_t>(row - exclusions.data())];
    }
    if (seen.fault && seen.fault->s1ptw) table_walk_faults_.push_back(*seen.fault);
    if (((ours.par ^ record.par) & mask) == 0) return;
    ++mismatches;
    ADD_FAILURE() << fmt::format(
        "walk {}: AT {}, VA {:#x}: ours {:#018x} ({}), Unicorn {:#018x}, differing {:#x}\n{}",
        walks, op.name, record.va, ours.par, kind_of(ours), record.par,
        (ours.par ^ record.par) & mask, print(registers));
  }

  /// The stage-2 faults of stage-1 table walks, whose type and level Unicorn does not report: with
  /// stage 1 off it walks stage 2 for the same address and does.
  void repeat_table_walks() {
    Registers flat = random_.registers();
    flat.el1.stage1.sctlr = 0;
    flat.el1.stage1.tcr = 0;
    std::vector<AtRecord> records;
    std::vector<Fault> expected;
    for (const Fault& fault : std::exchange(table_walk_faults_, {})) {
      const auto [ours, seen] =
          walk(flat, AtScope::el1_both_stages, Va{fault.ipa.value}, {}, tables_);
      const Exclusion* const row = exclusion_of(seen);
      // HCR_EL2.PTW refuses what stage 2 by itself allows.
      if (!ours.fault || (row != nullptr && excludes_the_walk(*row))) continue;
      records.push_back({.va = fault.ipa.value, .code = 0, .par = 0, .op = at_s12e1r});
      expected.push_back(fault);
    }
    if (records.empty()) return;
    engine_.load(flat.el1, flat.el2);
    engine_.run(records);
    engine_.load(random_.registers().el1, random_.registers().el2);
    table_walks += records.size();
    for (std::size_t index = 0; index < records.size(); ++index) {
      const std::uint64_t ours = encode_par(expected[index]);
      if (((ours ^ records[index].par) & (par_fault | par_fst | par_stage2)) == 0) continue;
      ++mismatches;
      ADD_FAILURE() << fmt::format("table walk at IPA {:#x}: ours {:#x}, Unicorn {:#x}\n{}",
                                   records[index].va, ours, records[index].par, print(flat));
    }
  }

  /// Runs the instruction at a batch's address, at the level that its AT instruction asked for.
  void fetch(const AtRecord& record) {
    const AtOp& op = at_ops[record.op];
    const Registers& registers = random_.registers();
    const FetchLevel level = fetch_level_of(op);
    const AtScope scope = op.scope == AtScope::el2 ? AtScope::el2 : AtScope::el1_both_stages;
    const Va va{align_down(record.va, 4)};
    // A tagged PC is not something a branch can produce.
    if (bits(va.value, 63, 56) != (test_bit(va.value, 55) ? 0xffU : 0U)) return;
    // TGE moves EL0 under EL2 and forbids EL1.
    if (scope != AtScope::el2 && (registers.el1.stage2.hcr & hcr::tge) != 0) return;
    const Access access{.kind = AccessKind::execute, .privilege = op.access.privilege};
    const auto [ours, seen] = walk(registers, scope, va, access, tables_);
    const Exclusion* const row = exclusion_of(seen);
    if (row != nullptr && (row->still_compared & par_fault) == 0) return;
    // Only RAM is all undefined instructions.
    if (!ours.fault && (ours.output < ram_base || ours.output >= ram_base + ram_size)) return;

    const FetchOutcome theirs = engine_.fetch(level, va);
    ++fetches;
    if (theirs.executed) ++fetches_run;
    const bool agree = theirs.executed == !ours.fault &&
                       (theirs.executed ||
                        same_abort(*ours.fault, theirs,
                                   row == nullptr ? FaultStatus::compared : FaultStatus::excluded));
    if (agree) return;
    ++mismatches;
    ADD_FAILURE() << fmt::format(
        "fetch at EL{}, VA {:#x}: ours {}, Unicorn {} (syndrome {:#x}, HPFAR {:#x})\n{}",
        static_cast<unsigned>(level), va.value, kind_of(ours),
        theirs.executed ? "ran it" : "aborted", theirs.syndrome, theirs.hpfar, print(registers));
  }

  AtEngine engine_;
  RandomTables random_;
  Tables tables_{engine_.tables()};
  std::vector<Fault> table_walk_faults_;
};

/// Every path of a walk must have met every kind of outcome at every level where it exists.
void expect_all_kinds(const Comparison& comparison) {
  const auto expect = [&](std::string_view path, std::string_view kind, unsigned first,
                          unsigned last) {
    for (unsigned level = first; level <= last; ++level) {
      const std::string name = fmt::format("{}: {}, level {}", path, kind, level);
      EXPECT_TRUE(comparison.histogram.contains(name)) << "never: " << name;
    }
  };
  for (const auto* const path : {"EL1 stage 1", "EL1 stage 1 via 2", "EL1 stage 1+2", "EL2"}) {
    expect(path, "valid", 1, 3);
    expect(path, "translation fault", 0, 3);
    expect(path, "access flag fault", 1, 3);
    expect(path, "permission fault", 1, 3);
    expect(path, "address size fault", 0, 3);
  }
  for (const auto* const path : {"stage 2", "EL1 stage 1+2"}) {
    expect(path, "stage-2 translation fault", 0, 3);
    expect(path, "stage-2 access flag fault", 1, 3);
    expect(path, "stage-2 permission fault", 1, 3);
    expect(path, "stage-2 address size fault", 1, 3);
  }
  for (const auto* const path : {"EL1 stage 1 via 2", "EL1 stage 1+2"}) {
    expect(path, "table walk, stage-2 translation fault", 0, 3);
    expect(path, "table walk, stage-2 access flag fault", 1, 3);
    expect(path, "table walk, stage-2 permission fault", 1, 3);
  }
}

// Random tables and addresses translate, or fault, as Unicorn's own walk says, in all regimes.
TEST(WalkOracle, AgreesWithUnicorn) {
  const std::uint64_t seed = pkvmemu::test::random_seed();
  const std::uint64_t walks = pkvmemu::test::from_environment("PKVMEMU_WALKS", 1'000'000);
  fmt::print("PKVMEMU_WALKS={}\n", walks);
  Comparison comparison{seed};
  comparison.run(walks);
  comparison.print_counts();
  ASSERT_EQ(comparison.mismatches, 0U) << "seed " << seed;

  // Tables fill up as the run goes on: a short one meets less, and promises no proportions.
  constexpr std::uint64_t long_enough = 500'000;
  if (comparison.walks < long_enough) return;
  EXPECT_GE(comparison.valid * 3, comparison.walks);
  EXPECT_GE(comparison.faults * 3, comparison.walks);
  EXPECT_LE(comparison.excluded_walks() * 10, comparison.walks) << "exclusions must be rare";
  // Of a million walks at least 20 000 run, and as many are kept from running.
  EXPECT_GE(comparison.fetches_run * 50, comparison.walks);
  EXPECT_GE((comparison.fetches - comparison.fetches_run) * 50, comparison.walks);
  for (std::size_t row = 0; row < exclusions.size(); ++row)
    EXPECT_GT(comparison.excluded[row], 0U) << exclusions[row].name << " never happened";
  expect_all_kinds(comparison);
}

// What the oracle does not judge a test of its own does: each exclusion names those that exist.
TEST(WalkOracle, EveryExclusionIsPinned) {
  std::set<std::string> tests;
  const testing::UnitTest& all = *testing::UnitTest::GetInstance();
  for (int suite = 0; suite < all.total_test_suite_count(); ++suite) {
    const testing::TestSuite& tests_of = *all.GetTestSuite(suite);
    for (int test = 0; test < tests_of.total_test_count(); ++test)
      tests.insert(fmt::format("{}.{}", tests_of.name(), tests_of.GetTestInfo(test)->name()));
  }
  for (const Exclusion& row : exclusions) {
    EXPECT_FALSE(row.pinned_by[0].empty()) << row.name;
    for (const std::string_view name : row.pinned_by)
      EXPECT_TRUE(name.empty() || tests.contains(std::string{name})) << name;
  }
}

}  // namespace
}  // namespace pkvmemu::mmu
