// SPDX-License-Identifier: GPL-2.0-only
#include "host/exports.h"

#include <array>

namespace pkvmemu::host {

namespace {

// Each row: name for modules, C symbol that answers for it. Declared as data, so that the table is
// constant whatever the type.
// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): one list, declarations and the table from it.
#define PKVMEMU_EXPORTS(X)                               \
  X(_printk, export_printk)                              \
  X(vprintk, export_vprintk)                             \
  X(__warn_printk, export_printk)                        \
  X(panic, export_panic)                                 \
  X(__pkvm_load_el2_module, export_pkvm_load_el2_module) \
  X(__pkvm_register_el2_call, export_pkvm_register_call) \
  X(memcpy, memcpy)                                      \
  X(__memcpy, memcpy)                                    \
  X(memmove, memmove)                                    \
  X(__memmove, memmove)                                  \
  X(memset, memset)                                      \
  X(__memset, memset)                                    \
  X(memcmp, memcmp)                                      \
  X(memchr, memchr)                                      \
  X(strlen, strlen)                                      \
  X(strnlen, export_strnlen)                             \
  X(strcmp, export_strcmp)                               \
  X(strncmp, export_strncmp)                             \
  X(strchr, export_strchr)                               \
  X(strrchr, export_strrchr)                             \
  X(strstr, export_strstr)                               \
  X(strscpy, export_strscpy)                             \
  X(sized_strscpy, export_strscpy)                       \
  X(strlcpy, export_strlcpy)                             \
  X(strcpy, export_strcpy)                               \
  X(strncpy, export_strncpy)                             \
  X(snprintf, export_snprintf)                           \
  X(scnprintf, export_scnprintf)                         \
  X(sprintf, export_sprintf)                             \
  X(vsnprintf, export_vsnprintf)                         \
  X(vscnprintf, export_vscnprintf)                       \
  X(__kmalloc, export_kmalloc)                           \
  X(__kmalloc_noprof, export_kmalloc)                    \
  X(kmalloc_trace, export_kmalloc_trace)                 \
  X(__kmalloc_cache_noprof, export_kmalloc_trace)        \
  X(kmalloc_large, export_kmalloc)                       \
  X(kmalloc_caches, export_kmalloc_caches)               \
  X(random_kmalloc_seed, export_zero_word)               \
  X(kfree, export_kfree)                                 \
  X(ksize, export_ksize)                                 \
  X(__stack_chk_fail, export_stack_chk_fail)             \
  X(__stack_chk_guard, export_stack_chk_guard)           \
  X(memstart_addr, export_memstart_addr)                 \
  X(kimage_voffset, export_kimage_voffset)               \
  X(vabits_actual, export_vabits_actual)                 \
  X(system_cpucaps, export_zero_bitmap)                  \
  X(cpu_hwcaps, export_zero_bitmap)                      \
  X(boot_cpucaps, export_zero_bitmap)                    \
  X(kvm_protected_mode_initialized, export_zero_word)    \
  X(param_ops_int, export_param_ops)                     \
  X(param_ops_uint, export_param_ops)                    \
  X(param_ops_long, export_param_ops)                    \
  X(param_ops_ulong, export_param_ops)                   \
  X(param_ops_bool, export_param_ops)                    \
  X(param_ops_charp, export_param_ops)                   \
  X(param_ops_ullong, export_param_ops)

#pragma GCC visibility push(hidden)
extern "C" {
#define PKVMEMU_DECLARE(exported, symbol) extern const char row_##exported[] asm(#symbol);
PKVMEMU_EXPORTS(PKVMEMU_DECLARE)
#undef PKVMEMU_DECLARE
}
#pragma GCC visibility pop

struct Export {
  std::string_view name;
  const char* address;
};

#define PKVMEMU_ROW(exported, symbol) Export{.name = #exported, .address = row_##exported},
constexpr Export table[] = {PKVMEMU_EXPORTS(PKVMEMU_ROW)};
#undef PKVMEMU_ROW

}  // namespace

std::optional<std::uint64_t> exported_symbol(std::string_view name) {
  for (const Export& row : table)
    if (row.name == name) return reinterpret_cast<std::uint64_t>(row.address);
  return std::nullopt;
}

}  // namespace pkvmemu::host
