// SPDX-License-Identifier: GPL-2.0-only
#include "host/suspend.h"

#include <array>

#include "host/memory.h"
#include "host/task.h"
#include "host/wake_timer.h"

namespace pkvmemu::host {

namespace {

/// suspend.S keeps here what the CPU forgets.
struct Context {
  std::array<std::uint64_t, 24> saved;
};

extern "C" {
// suspend.S. 0; then 1, at most once, when cpu_resume came with this context.
[[gnu::returns_twice]] std::uint64_t cpu_save(Context* context);
void cpu_resume();
}

constinit Context context{};
/// Outside of suspend()'s frame, which the CPU may see twice.
constinit arch::CallRegisters call{};

template <typename T>
std::uint64_t physical(T* pointer) {
  return physical_address(reinterpret_cast<std::uint64_t>(pointer)).value_or(Pa{0}).value;
}

}  // namespace

Suspended suspend(const arch::CallRegisters& x, unsigned entry) {
  call = x;
  call.at(entry) = physical(&cpu_resume);
  call.at(entry + 1) = physical(&context);
  arm_wake_timer();
  if (cpu_save(&context) != 0) {
    disarm_wake_timer();
    restore_pauth_keys();
    return {.entered = true};
  }
  // It is read with the MMU off.
  arch::clean_dcache(reinterpret_cast<std::uint64_t>(&context), sizeof(context));
  arch::smc(call);
  disarm_wake_timer();
  return {.x = call};
}

}  // namespace pkvmemu::host
