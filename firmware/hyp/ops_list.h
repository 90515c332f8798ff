// SPDX-License-Identifier: GPL-2.0-only
// The slow paths of hardened lists (pkvm-abi.md 1.6). GKI bugs on corrupt data
// (BUG_ON_DATA_CORRUPTION, 1.3), and at EL2 a WARN would be fatal just as well: false never comes
// back.
#pragma once

#include "hyp/abi_types.h"

/// True when `entry` may go between `prev` and `next`; when it may leave its list.
extern "C" bool hyp_check_list_add(const list_head* entry, const list_head* prev,
                                   const list_head* next);
extern "C" bool hyp_check_list_del_entry(const list_head* entry);

#ifdef PKVM_FIRMWARE
/// list_checks.S: the same, changing no register but x0, x16 and x17.
extern "C" [[clang::preserve_most]] bool hyp_list_add_valid(const list_head* entry,
                                                            const list_head* prev,
                                                            const list_head* next);
extern "C" [[clang::preserve_most]] bool hyp_list_del_entry_valid(const list_head* entry);
#else
inline bool hyp_list_add_valid(const list_head* entry, const list_head* prev,
                               const list_head* next) {
  return hyp_check_list_add(entry, prev, next);
}
inline bool hyp_list_del_entry_valid(const list_head* entry) {
  return hyp_check_list_del_entry(entry);
}
#endif
