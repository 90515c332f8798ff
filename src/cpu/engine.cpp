// SPDX-License-Identifier: GPL-2.0-only
#include "cpu/engine.h"

namespace pkvmemu::cpu {

Result<Engine> Engine::open(TlbMode mode) {
  uc_engine* handle = nullptr;
  if (const uc_err status = uc_open(UC_ARCH_ARM64, UC_MODE_ARM, &handle); status != UC_ERR_OK)
    return fail("the CPU engine does not start: {}", uc_strerror(status));
  Engine engine(handle);
  // The order matters: the model fixes the registers, and the TLB mode must precede all execution.
  // Exits are enabled and there are none, since an `until` address would be looked up by the TLB
  // callback at each stop, and clobber a fault that is being reported.
  if (uc_ctl_set_cpu_model(handle, UC_CPU_ARM64_MAX) != UC_ERR_OK ||
      uc_ctl_tlb_mode(handle, mode == TlbMode::ours ? UC_TLB_VIRTUAL : UC_TLB_CPU) != UC_ERR_OK ||
      uc_ctl_exits_enable(handle) != UC_ERR_OK)
    return fail(
        "the CPU engine is older than 2.1.1: run ./tools/setup, which installs a newer one");
  return engine;
}

EnginePosition Engine::position() const {
  std::array<int, 3> ids{UC_ARM64_REG_PC, UC_ARM64_REG_SP, UC_ARM64_REG_PSTATE};
  EnginePosition now;
  std::array<void*, ids.size()> values{&now.pc, &now.sp, &now.pstate};
  check(uc_reg_read_batch(raw(), ids.data(), values.data(), static_cast<int>(ids.size())));
  return now;
}

std::uint64_t Engine::enter(const Entry& entry) {
  const unsigned target = entry.target_el;
  // The bank that is left first: it may be the one that is entered.
  std::uint64_t old_sp = entry.old_sp;
  check(uc_reg_write(raw(), sp_by_el[entry.from_bank], &old_sp));
  std::uint64_t base = 0;
  std::uint64_t new_sp = 0;
  std::array<int, 2> read_ids{vbar_by_el[target], sp_by_el[target]};
  std::array<void*, read_ids.size()> read_values{&base, &new_sp};
  check(uc_reg_read_batch(raw(), read_ids.data(), read_values.data(),
                          static_cast<int>(read_ids.size())));

  std::uint64_t vector = base + entry.vector_offset;
  std::uint64_t elr = entry.elr;
  std::uint64_t esr = entry.esr;
  std::uint32_t pstate = entry.pstate;
  // SPSR goes through the engine's system registers, which refreshes the flags that the write of
  // PSTATE leaves stale: it comes after that.
  uc_arm64_cp_reg spsr = request_for(target == 2 ? reg::spsr_el2 : reg::spsr_el1);
  spsr.val = entry.spsr;
  std::array<int, 6> write_ids{elr_by_el[target],   esr_by_el[target], UC_ARM64_REG_PSTATE,
                               UC_ARM64_REG_CP_REG, UC_ARM64_REG_SP,   UC_ARM64_REG_PC};
  const std::array<void*, write_ids.size()> write_values{&elr,  &esr,    &pstate,
                                                         &spsr, &new_sp, &vector};
  check(uc_reg_write_batch(raw(), write_ids.data(), write_values.data(),
                           static_cast<int>(write_ids.size())));
  return vector;
}

uc_arm64_reg Engine::general(unsigned index) {
  assert(index <= 31);
  if (index < 29) return static_cast<uc_arm64_reg>(UC_ARM64_REG_X0 + index);
  constexpr std::array last{UC_ARM64_REG_X29, UC_ARM64_REG_X30, UC_ARM64_REG_XZR};
  return last[index - 29];
}

}  // namespace pkvmemu::cpu

#if __has_feature(address_sanitizer)
// uc_close() forgets a few arrays of 32 bytes, and the bitmap of each page of code that was written
// to often; everything else must be freed.
extern "C" const char* __lsan_default_options();
extern "C" const char* __lsan_default_options() {
  return "print_suppressions=0";
}
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:g_array_new\nleak:tb_invalidate_phys_page_fast\n";
}
#endif
