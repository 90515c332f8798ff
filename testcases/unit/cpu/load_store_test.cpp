// SPDX-License-Identifier: GPL-2.0-only
// The load/store decoder against the engine: random instructions of every encoding group abort
// under the engine's own page walk, which leaves syndrome and address to compare with.
#include "cpu/load_store.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <map>
#include <optional>
#include <random>
#include <vector>

#include "cpu/engine.h"
#include "cpu/exception_level.h"
#include "cpu/pending_syndrome.h"
#include "cpu/syndrome.h"
#include "harness/random_seed.h"

namespace pkvmemu::cpu {
namespace {

/// An encoding group: `mask` bits are fixed to `value`, the rest is random.
struct Group {
  std::string_view name;
  std::uint32_t mask;
  std::uint32_t value;
};
constexpr std::array groups{
    Group{"exclusive and ordered", 0x3f00'0000, 0x0800'0000},
    Group{"ordered", 0x3fe0'fc00, 0x08c0'fc00},
    Group{"store-release", 0x3fe0'fc00, 0x0880'fc00},
    Group{"simd structures", 0xbfbf'0000, 0x0c00'0000},
    Group{"simd structures, post-index", 0xbfa0'0000, 0x0c80'0000},
    Group{"simd single structure", 0xbf9f'0000, 0x0d00'0000},
    Group{"unscaled ordered", 0x3f20'0c00, 0x1900'0000},
    Group{"literal", 0x3b00'0000, 0x1800'0000},
    Group{"pair", 0x3a00'0000, 0x2800'0000},
    Group{"immediate 9", 0x3b20'0000, 0x3800'0000},
    Group{"atomic", 0x3b20'0c00, 0x3820'0000},
    Group{"LDAPR", 0x3fff'fc00, 0x38bf'c000},
    Group{"LDRAA, LDRAB", 0xff20'0400, 0xf820'0400},
    Group{"register offset", 0x3b20'0c00, 0x3820'0800},
    Group{"immediate 12", 0x3b00'0000, 0x3900'0000},
    Group{"DC ZVA", 0xffff'ffe0, 0xd50b'7420},
};

/// An EL2 with stage 1 on, in which only the code's own page is mapped.
class AbortOracle {
 public:
  static constexpr std::uint64_t code = 0x4000'0000;

  struct Abort {
    std::uint64_t esr;
    std::uint64_t far;
  };

  AbortOracle() : engine_(*Engine::open(TlbMode::engine)), ram_(ram_size) {
    uc_hook hook = 0;
    Engine::check(uc_mem_map_ptr(engine_.raw(), code, ram_size, UC_PROT_ALL, ram_.data()));
    Engine::check(uc_hook_add(engine_.raw(), &hook, UC_HOOK_INTR,
                              reinterpret_cast<void*>(&AbortOracle::on_interrupt), this, 1, 0));
    constexpr std::uint64_t page = 0x1000, access_flag = 1 << 10, inner = 3 << 8, table = 3;
    poke(page + 1 * 8, (code + 2 * page) | table);       // level 1, entry of 0x4000_0000
    poke(2 * page, (code + 3 * page) | table);           // level 2
    poke(3 * page, code | access_flag | inner | table);  // level 3: the code's page
    engine_.set_pstate(pstate::handler_mode(2));
    engine_.set(reg::scr_el3, 0x3'0531);
    engine_.set(reg::tcr_el2, 25 | 1 << 8 | 1 << 10 | 3 << 12 | 2 << 16 | bit(23) | bit(31));
    engine_.set(reg::mair_el2, 0xff);
    engine_.set(reg::ttbr0_el2, code + page);
    engine_.set(reg::sctlr_el2, 0x30c5'0831);
  }

  Engine& engine() { return engine_; }

  /// The data abort that `instruction` causes with the registers as they are, if it does.
  std::optional<Abort> run(std::uint32_t instruction) {
    constexpr std::uint32_t hvc = 0xd400'0002;
    std::memcpy(ram_.data(), &instruction, sizeof(instruction));
    std::memcpy(ram_.data() + 4, &hvc, sizeof(hvc));
    Engine::check(uc_ctl_remove_cache(engine_.raw(), code, code + 0x100));
    abort_.reset();
    uc_emu_start(engine_.raw(), code, 0, 0, 0);
    return abort_;
  }

 private:
  static constexpr std::size_t ram_size = 0x4000;

  void poke(std::uint64_t offset, std::uint64_t value) {
    std::memcpy(ram_.data() + offset, &value, sizeof(value));
  }
  static void on_interrupt(uc_engine* engine, std::uint32_t number, void* user) noexcept {
    auto& self = *static_cast<AbortOracle*>(user);
    if (number == 4) {
      const PendingSyndrome pending = read_pending_syndrome(self.engine_);
      self.abort_ = Abort{.esr = pending.esr, .far = pending.far};
    }
    uc_emu_stop(engine);
  }

  Engine engine_;
  std::vector<std::byte> ram_;
  std::optional<Abort> abort_;
};

/// Exclusion: pre- and post-indexed forms. The engine gives them a syndrome; the Arm ARM (ISV: "no
/// writeback") and QEMU 7.2 do not.
constexpr bool is_indexed(std::uint32_t instruction) {
  return (instruction & 0x3b20'0400) == 0x3800'0400;
}

// Random loads and stores of every group: whatever aborts in the engine is decoded to the same
// address and the same instruction syndrome.
TEST(LoadStore, AgreesWithTheEnginesSyndromes) {
  const std::uint64_t chosen = pkvmemu::test::random_seed();
  std::mt19937_64 random(chosen);
  AbortOracle oracle;
  std::map<std::string_view, unsigned> aborts;
  unsigned with_syndrome = 0;
  for (unsigned i = 0; i < 12'000; ++i) {
    const Group& group = groups[i % groups.size()];
    const auto instruction = static_cast<std::uint32_t>((random() & ~group.mask) | group.value);
    std::array<std::uint64_t, 32> registers{};
    for (unsigned n = 0; n < registers.size(); ++n) {
      // Unmapped, far from the code; as an offset, of either sign; aligned half of the time.
      registers[n] = 0x8000'0000 + (random() & 0x3fff'ffff & (random() & 1 ? ~0xfULL : ~0ULL));
      oracle.engine().set(n == 31 ? UC_ARM64_REG_SP : Engine::general(n), registers[n]);
    }
    const auto abort = oracle.run(instruction);
    if (!abort) continue;  // undefined, a prefetch, a store-exclusive without its load
    ++aborts[group.name];

    const auto decoded =
        decode_load_store(instruction, AbortOracle::code, [&](unsigned n) { return registers[n]; });
    ASSERT_TRUE(decoded) << fmt::format("{}: {:#010x} aborts and is not decoded", group.name,
                                        instruction);
    constexpr std::uint64_t instruction_fields = low_mask(25) & ~low_mask(14);
    const std::uint64_t ours = decoded->instruction_syndrome.value_or(0);
    const bool indexed = is_indexed(instruction);
    EXPECT_EQ(indexed ? 0 : abort->esr & instruction_fields, ours) << fmt::format(
        "{}: {:#010x}: engine {:#x}, ours {:#x}", group.name, instruction, abort->esr, ours);
    EXPECT_EQ(abort->far, decoded->address)
        << fmt::format("{}: {:#010x}: engine {:#x}, ours {:#x}", group.name, instruction,
                       abort->far, decoded->address);
    with_syndrome += ours != 0;
    if (HasFailure()) break;
  }
  EXPECT_GT(with_syndrome, 1000U);
  for (const Group& group : groups)
    EXPECT_GT(aborts[group.name], 50U) << group.name;
}

// What is no load or store decodes to nothing.
TEST(LoadStore, OtherInstructionsAreNone) {
  const auto none = [](unsigned) { return std::uint64_t{0}; };
  for (const std::uint32_t word : {0xd503'201fU, 0x1400'0000U, 0xd400'0002U, 0x9100'0421U, 0U})
    EXPECT_FALSE(decode_load_store(word, 0, none)) << fmt::format("{:#010x}", word);
}

}  // namespace
}  // namespace pkvmemu::cpu
