// SPDX-License-Identifier: GPL-2.0-only
// What inline functions of kernel headers refer to beside the task: per-CPU bases, masks of the one
// CPU, static keys, the scheduler's and the patching code's entry points.
#include <array>
#include <cstdint>

#include "host/console.h"
#include "host/exports.h"
#include "host/kernel.h"
#include "host/module/instructions.h"
#include "host/task.h"

namespace host = pkvmemu::host;

namespace {

/// GKI's NR_CPUS.
constexpr std::size_t cpus = 32;

/// struct static_key; the second word is the kernel's own.
struct StaticKey {
  std::int32_t enabled;
  std::uint64_t type;
};
static_assert(sizeof(StaticKey) == 16);

void set(StaticKey* key, std::int32_t enabled) {
  const bool before = key->enabled > 0;
  key->enabled = enabled;
  if (before == (enabled > 0)) return;
  host::loader().static_key_switched(pkvmemu::KernVa{reinterpret_cast<std::uint64_t>(key)},
                                     enabled > 0);
}

/// Enabling and disabling are for keys that are not counted.
void warn_counted(const StaticKey* key) {
  host::printk("WARNING: static key %pS is counted (%d), and switched\n",
               static_cast<const void*>(key), key->enabled);
}

}  // namespace

extern "C" {

std::array<std::uint64_t, cpus> export_per_cpu_offset{};
constinit std::uint64_t export_first_cpu_mask = 1;
constinit std::uint32_t export_one_cpu = 1;
constinit std::uint8_t export_static_key_initialized = 1;
constinit StaticKey export_kvm_protected_mode_initialized{};
/// Addresses of pages bear no tags.
constinit StaticKey export_kasan_flag_enabled{};

/// Nothing else could run.
void export_preempt_schedule() {}

/// alternatives.cpp knows it by its address.
void export_alt_cb_patch_nops(const void* /*record*/, const void* /*original*/,
                              std::uint32_t* patched, std::int32_t count) {
  for (std::int32_t i = 0; i < count; ++i)
    patched[i] = pkvmemu::kmod::nop;
}

std::int32_t export_static_key_count(const StaticKey* key) {
  return key->enabled >= 0 ? key->enabled : 1;
}

void export_static_key_enable(StaticKey* key) {
  if (key->enabled > 1) warn_counted(key);
  if (key->enabled <= 0) set(key, 1);
}

void export_static_key_disable(StaticKey* key) {
  if (key->enabled > 1) warn_counted(key);
  if (key->enabled == 1) set(key, 0);
}

bool export_static_key_slow_inc(StaticKey* key) {
  set(key, key->enabled + 1);
  return true;
}

bool export_static_key_fast_inc(StaticKey* key) {
  if (key->enabled <= 0) return false;
  return export_static_key_slow_inc(key);
}

void export_static_key_slow_dec(StaticKey* key) {
  if (key->enabled <= 0) {
    host::printk("WARNING: static key %pS: more decremented than incremented\n",
                 static_cast<const void*>(key));
    return;
  }
  set(key, key->enabled - 1);
}
}

namespace pkvmemu::host {

void world_exports_init() {
  export_per_cpu_offset.fill(per_cpu_offset());
}

void announce_protection() {
  export_static_key_enable(&export_kvm_protected_mode_initialized);
}

}  // namespace pkvmemu::host
