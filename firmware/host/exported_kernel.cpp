// SPDX-License-Identifier: GPL-2.0-only
// Exported functions and data that are the kernel's state: the module calls of pKVM, and what
// inline functions of kernel headers read.
#include <cstdint>

#include "host/early.h"
#include "host/exports.h"
#include "host/kernel.h"
#include "host/panic.h"
#include "host/sections.h"
#include "pkvm/platform.h"
#include "pkvm/task.h"

namespace host = pkvmemu::host;
using pkvmemu::HypVa;
using pkvmemu::KernVa;

extern "C" {

// Data; variables keep their value 0 unless exports_init sets them.
std::uint64_t export_stack_chk_guard = pkvm::task::canary;
std::int64_t export_memstart_addr = 0;
std::uint64_t export_kimage_voffset = 0;
std::uint64_t export_vabits_actual = 0;
std::uint64_t export_zero_word = 0;
/// Capabilities: none, so that alternatives and checks take the plain way.
std::uint64_t export_zero_bitmap[8] = {};
/// Inlines pick an entry and hand it to kmalloc_trace, which does not look.
std::uint64_t export_kmalloc_caches[32 * 16] = {};

int export_pkvm_load_el2_module(std::uint64_t this_module, std::uint64_t token) {
  return host::loader().load_el2_module(KernVa{this_module}, KernVa{token});
}

int export_pkvm_register_call(std::uint64_t handler) {
  return host::loader().register_el2_call(HypVa{handler});
}

[[noreturn]] void export_stack_chk_fail() {
  // The call is a function's last instruction, so that the return address may be the next one's.
  constexpr std::uint64_t instruction = 4;
  const auto after = reinterpret_cast<std::uint64_t>(__builtin_return_address(0));
  host::panic("stack protector: the stack of a function is corrupted, noticed at %pS",
              reinterpret_cast<void*>(after - instruction));
}
}

namespace pkvmemu::host {

void exports_init() {
  world_exports_init();
  export_memstart_addr = static_cast<std::int64_t>(pkvm::platform::ram_base);
  export_kimage_voffset =
      reinterpret_cast<std::uint64_t>(image_begin) - boot_state.info.image.base.value;
  export_vabits_actual = boot_state.va_bits;
}

}  // namespace pkvmemu::host
