// SPDX-License-Identifier: GPL-2.0-only
// Why a module did not load: a small value without memory of its own, made into a sentence by one
// table (load_error.cpp), which the console and the events share. The names point into the module's
// file, which stays in memory.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string_view>

#include "host/module/near_names.h"
#include "image/error.h"
#include "lib/fault.h"
#include "pkvm/errno.h"
#include "pkvm/event.h"

namespace pkvmemu::kmod {

using pkvm::Errno;
using pkvm::event::Step;

enum class Problem : std::uint8_t {
  none,
  no_such_file,
  damaged_archive,    ///< `image` says how
  dependency_failed,  ///< name: the dependency
  cannot_read,
  damaged_file,   ///< `image` says how
  wrong_version,  ///< name: its vermagic, other: ours
  already_loaded,
  too_many_modules,        ///< expected: how many can be
  no_memory,               ///< expected: bytes asked for
  common_symbol,           ///< name
  unknown_symbol,          ///< name
  unknown_symbols,         ///< name: the first one; expected: how many others
  blacklisted,             ///< by the kernel command line
  cyclic_dependency,       ///< name: depends on itself; other: the one that leads back
  arguments_too_long,      ///< expected: room for them
  invalid_parameter,       ///< name; other: the value
  parameter_too_large,     ///< name; other: the value
  rel_section,             ///< other: the section
  unsupported_relocation,  ///< found: its number; other + offset: where
  outside_section,         ///< other + offset: where
  no_such_symbol,          ///< relocation, other + offset; found: its index; expected: how many
  overflow,                ///< relocation, other + offset, name, found, expected
  not_relocated,           ///< relocation, other + offset
  no_plt_room,             ///< other + offset, name
  no_hyp_reloc,
  other_page_size,   ///< expected: bytes of a page of the kernel that it was linked for
  init_failed,       ///< the module's own init
  init_failed_late,  ///< the same, after a good EL2 load
  not_protected,
  finalised,
  unaligned_section,  ///< other: which; found: its address; expected: alignment
  unknown_module,     ///< no module has this struct module
  no_init_word,       ///< found: how many words point into .hyp.text
  no_hyp_section,
  va_refused,           ///< alloc_module_va: x0
  no_hyp_va,            ///< expected: pages
  map_refused,          ///< other: section, found: frame
  hyp_init_failed,      ///< the EL2 init function
  share_refused,        ///< found: the frame of the descriptor's copy
  no_reference,         ///< on the module
  sections_refused,     ///< of its EL2 half, as a whole
  import_not_a_call,    ///< name; other + offset; found: the relocation's number
  import_not_exported,  ///< name; other + offset
  import_not_in_text,   ///< name; other + offset
  import_too_far,       ///< name; other + offset; found: the distance
  helper_failed,        ///< the user-mode helper did not start
  // Of an EL2 half alone (el2_only.h).
  el2_no_half,          ///< there is none
  el2_no_init,          ///< none was named
  el2_no_struct,        ///< its struct module is too small
  el2_no_symbol,        ///< name; near: what it has
  el2_ambiguous,        ///< name: two of EL2's have it
  el2_not_code,         ///< name; other: the section that it lies in
  el2_not_data,         ///< name; other: the section that it lies in
  el2_bad_value,        ///< name; other: the value
  el2_no_number,        ///< name; expected: its size
  el2_value_too_large,  ///< name; other: the value; expected: its size
};

struct LoadError {
  Problem problem = Problem::none;
  Step step = Step::find_file;
  int status = 0;  ///< negated errno, or what init returned
  std::string_view name;
  std::string_view other;
  std::string_view relocation;
  std::uint64_t offset = 0;
  std::uint64_t expected = 0;
  std::uint64_t found = 0;
  image::Error image;
  NearNames near{std::string_view{}};
};

template <typename T>
using Loaded = std::expected<T, LoadError>;

/// The sentence of a problem, with fields in braces.
std::string_view words_of(Problem problem);

/// "Unknown symbol foo", cut to the buffer.
std::string_view describe(const LoadError& error, std::span<char> buffer);

}  // namespace pkvmemu::kmod
