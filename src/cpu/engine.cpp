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

uc_arm64_reg Engine::general(unsigned index) {
  assert(index <= 31);
  if (index < 29) return static_cast<uc_arm64_reg>(UC_ARM64_REG_X0 + index);
  constexpr std::array last{UC_ARM64_REG_X29, UC_ARM64_REG_X30, UC_ARM64_REG_XZR};
  return last[index - 29];
}

}  // namespace pkvmemu::cpu

#if __has_feature(address_sanitizer)
// uc_close() forgets a few arrays of 32 bytes; everything else must be freed.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:g_array_new\n";
}
#endif
