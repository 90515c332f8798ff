// SPDX-License-Identifier: GPL-2.0-only
#include "at_engine.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "support/bits.h"

// Unicorn 2.1.1 loses one small array per engine; LeakSanitizer asks here what to overlook.
extern "C" const char* __lsan_default_suppressions() {
  return "leak:g_array_new\n";
}

namespace pkvmemu::mmu {
namespace {

// Records are {va, code, par, op}: x0 points to the next one, x1 counts, x4 is the code to call.
constexpr std::array<std::uint32_t, 9> loop_code{
    0xa9401003,  // loop: ldp x3, x4, [x0]
    0xd63f0080,  //       blr x4
    0xd5033fdf,  //       isb
    0xd5387405,  //       mrs x5, par_el1
    0xf9000805,  //       str x5, [x0, #16]
    0x91008000,  //       add x0, x0, #32
    0xf1000421,  //       subs x1, x1, #1
    0x54ffff21,  //       b.ne loop
    0xd4200000,  //       brk #0
};
constexpr std::uint32_t ret = 0xd65f03c0;
constexpr std::array<std::uint32_t, at_ops.size()> at_code{
    0xd5087803,  // at s1e1r, x3
    0xd5087823,  // at s1e1w, x3
    0xd5087843,  // at s1e0r, x3
    0xd5087863,  // at s1e0w, x3
    0xd50c7803,  // at s1e2r, x3
    0xd50c7823,  // at s1e2w, x3
    0xd50c7883,  // at s12e1r, x3
    0xd50c78a3,  // at s12e1w, x3
    0xd50c78c3,  // at s12e0r, x3
    0xd50c78e3,  // at s12e0w, x3
    0xd5087903,  // at s1e1rp, x3
    0xd5087923,  // at s1e1wp, x3
};
constexpr std::uint32_t hvc_0x1234 = 0xd4024682;

constexpr std::uint64_t at_code_base = loop_base + 0x100;
constexpr std::uint64_t hvc_base = loop_base + 0x200;
constexpr std::uint64_t records_base = loop_base + 0x1000;
constexpr std::size_t max_records = (loop_size - 0x1000) / sizeof(AtRecord);

constexpr std::uint64_t pstate_daif = 0x3c0;
constexpr std::uint64_t pstate_pan = bit(22);
constexpr std::uint64_t pstate_el3h = pstate_daif | 0xd;
constexpr std::array<std::uint64_t, 3> pstate_of_level{pstate_daif, pstate_daif | 5,
                                                       pstate_daif | 9};

// What the interrupt hook gets: QEMU's exception indices.
constexpr std::uint32_t undefined_instruction = 1, prefetch_abort = 3, breakpoint = 7;

// A harness whose engine misbehaves has nothing to compare: stop the test binary.
void require(bool condition, const char* what) {
  if (condition) return;
  fmt::print(stderr, "at_engine: {}\n", what);
  std::abort();
}
void require(uc_err error, const char* what) {
  if (error == UC_ERR_OK) return;
  fmt::print(stderr, "at_engine: {}: {}\n", what, uc_strerror(error));
  std::abort();
}

uc_engine* open_engine() {
  uc_engine* engine = nullptr;
  require(uc_open(UC_ARCH_ARM64, UC_MODE_ARM, &engine), "uc_open");
  // Unicorn packs the direction of a control and its number into one enumerator.
  // NOLINTBEGIN(clang-analyzer-optin.core.EnumCastOutOfRange)
  require(uc_ctl_set_cpu_model(engine, UC_CPU_ARM64_MAX), "cpu model");
  require(uc_ctl_exits_enable(engine), "exits");
  // NOLINTEND(clang-analyzer-optin.core.EnumCastOutOfRange)
  return engine;
}

uc_context* allocate_context(uc_engine* engine) {
  uc_context* context = nullptr;
  require(uc_context_alloc(engine, &context), "uc_context_alloc");
  return context;
}

}  // namespace

AtEngine::AtEngine()
    : tables_(tables_size / sizeof(std::uint64_t)),
      engine_(open_engine()),
      context_(allocate_context(engine_.get()), uc_context_free) {
  uc_engine* engine = engine_.get();
  require(uc_mem_map(engine, ram_base, ram_size, UC_PROT_ALL), "map ram");
  require(uc_mem_map_ptr(engine, tables_base, tables_size, UC_PROT_ALL, tables_.data()),
          "map tables");
  require(uc_mem_map(engine, loop_base, loop_size, UC_PROT_ALL), "map loop");
  require(uc_mem_write(engine, loop_base, loop_code.data(), sizeof loop_code), "write loop");
  for (std::size_t row = 0; row < at_code.size(); ++row) {
    const std::array<std::uint32_t, 2> code{at_code[row], ret};
    require(uc_mem_write(engine, at_code_base + (row * sizeof code), code.data(), sizeof code),
            "write AT");
  }
  require(uc_mem_write(engine, hvc_base, &hvc_0x1234, sizeof hvc_0x1234), "write hvc");
  uc_hook hook = 0;
  // Unicorn's interface for callbacks is a pointer without a type.
  require(
      uc_hook_add(engine, &hook, UC_HOOK_INTR, reinterpret_cast<void*>(&on_exception), this, 1, 0),
      "hook");
  write({3, 6, 1, 1, 0}, 0x501);  // SCR_EL3: RW, HCE, NS
  find_pending_syndrome();
}

void AtEngine::on_exception(uc_engine* engine, std::uint32_t index, void* self) noexcept {
  static_cast<AtEngine*>(self)->exception_ = index;
  uc_emu_stop(engine);
}

void AtEngine::write(SystemRegister reg, std::uint64_t value) {
  uc_arm64_cp_reg access{};
  access.crn = reg.crn;
  access.crm = reg.crm;
  access.op0 = reg.op0;
  access.op1 = reg.op1;
  access.op2 = reg.op2;
  access.val = value;
  require(uc_reg_write(engine_.get(), UC_ARM64_REG_CP_REG, &access), "system register");
}

std::uint64_t AtEngine::read(SystemRegister reg) {
  uc_arm64_cp_reg access{};
  access.crn = reg.crn;
  access.crm = reg.crm;
  access.op0 = reg.op0;
  access.op1 = reg.op1;
  access.op2 = reg.op2;
  require(uc_reg_read(engine_.get(), UC_ARM64_REG_CP_REG, &access), "system register");
  return access.val;
}

void AtEngine::load(const El1Regime& el1, const El2Regime& el2) {
  constexpr std::uint64_t rw = bit(31);
  write({3, 0, 1, 0, 0}, el1.stage1.sctlr);
  write({3, 0, 2, 0, 2}, el1.stage1.tcr);
  write({3, 0, 2, 0, 0}, el1.stage1.ttbr0);
  write({3, 0, 2, 0, 1}, el1.stage1.ttbr1);
  write({3, 0, 10, 2, 0}, el1.stage1.mair);
  write({3, 4, 1, 1, 0}, el1.stage2.hcr | rw);
  write({3, 4, 2, 1, 2}, el1.stage2.vtcr);
  write({3, 4, 2, 1, 0}, el1.stage2.vttbr);
  write({3, 4, 1, 0, 0}, el2.sctlr);
  write({3, 4, 2, 0, 2}, el2.tcr);
  write({3, 4, 2, 0, 0}, el2.ttbr0);
  write({3, 4, 10, 2, 0}, el2.mair);
}

void AtEngine::start_at(std::uint64_t pstate, std::uint64_t pc) {
  require(uc_reg_write(engine_.get(), UC_ARM64_REG_PSTATE, &pstate), "PSTATE");
  write({3, 6, 1, 1, 0}, 0x501);  // any system register write makes the engine notice PSTATE
  exception_ = 0;
  const uc_err error = uc_emu_start(engine_.get(), pc, 0, 0, 0);
  require(error, "uc_emu_start");
}

void AtEngine::run(std::span<AtRecord> records) {
  require(records.size() <= max_records, "too many records");
  for (AtRecord& record : records)
    record.code = at_code_base + (record.op * 8);
  const std::uint64_t bytes = records.size_bytes();
  const std::uint64_t count = records.size();
  const std::uint64_t first = records_base;
  require(uc_mem_write(engine_.get(), records_base, records.data(), bytes), "write records");
  require(uc_reg_write(engine_.get(), UC_ARM64_REG_X0, &first), "x0");
  require(uc_reg_write(engine_.get(), UC_ARM64_REG_X1, &count), "x1");
  start_at(pstate_el3h | pstate_pan, loop_base);
  require(exception_ == breakpoint, "the AT loop did not reach its end");
  require(uc_mem_read(engine_.get(), records_base, records.data(), bytes), "read records");
}

FetchOutcome AtEngine::fetch(FetchLevel level, Va va) {
  // NOLINTNEXTLINE(clang-analyzer-optin.core.EnumCastOutOfRange)
  require(uc_ctl_flush_tlb(engine_.get()), "flush");
  start_at(pstate_of_level[static_cast<std::size_t>(level)], va.value);
  require(exception_ == undefined_instruction || exception_ == prefetch_abort,
          "a fetch ended in neither of its two ways");
  if (exception_ == undefined_instruction) return {.executed = true};
  return {.executed = false, .syndrome = pending_syndrome(), .hpfar = read({3, 4, 6, 0, 4})};
}

std::uint64_t AtEngine::pending_syndrome() {
  require(uc_context_save(engine_.get(), context_.get()), "uc_context_save");
  std::uint32_t syndrome = 0;
  std::memcpy(&syndrome, reinterpret_cast<const char*>(context_.get()) + syndrome_offset_,
              sizeof syndrome);
  return syndrome;
}

// The saved context holds the pending syndrome at an offset that no interface names: an HVC whose
// syndrome is known shows where.
void AtEngine::find_pending_syndrome() {
  constexpr std::uint32_t hvc_syndrome = 0x5a001234;
  write({3, 4, 1, 1, 0}, bit(31));  // HCR_EL2.RW
  start_at(pstate_of_level[static_cast<std::size_t>(FetchLevel::el1)], hvc_base);
  require(uc_context_save(engine_.get(), context_.get()), "uc_context_save");
  const char* bytes = reinterpret_cast<const char*>(context_.get());
  const std::size_t size = uc_context_size(engine_.get());
  for (std::size_t offset = 0; offset + sizeof hvc_syndrome <= size; ++offset) {
    if (std::memcmp(bytes + offset, &hvc_syndrome, sizeof hvc_syndrome) != 0) continue;
    syndrome_offset_ = offset;
    return;
  }
  require(false, "no pending syndrome in the saved context");
}

}  // namespace pkvmemu::mmu
