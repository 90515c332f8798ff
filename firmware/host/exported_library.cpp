// SPDX-License-Identifier: GPL-2.0-only
// Exported functions that need no kernel state beyond the console: printing and strings. C linkage
// and the kernel's types; names are ours, exports.cpp says under which one modules find them.
#include <cstdarg>
#include <cstddef>
#include <cstdint>

#include "host/console.h"
#include "host/panic.h"
#include "lib/format.h"
#include "lib/memory.h"
#include "lib/string.h"
#include "pkvm/errno.h"
#include "support/address.h"

namespace fw = pkvmemu::fw;
namespace host = pkvmemu::host;

namespace {

/// struct list_head.
struct ListHead {
  ListHead* next;
  ListHead* previous;
};

/// What fits of a text of `size` characters, as the scnprintf family counts.
int written(std::size_t size, std::size_t room) {
  if (room == 0) return 0;
  return static_cast<int>(size < room ? size : room - 1);
}

}  // namespace

extern "C" {

int export_vprintk(const char* format, va_list arguments) {
  return host::vprintk(format, arguments);
}

int export_printk(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int size = host::vprintk(format, arguments);
  va_end(arguments);
  return size;
}

[[noreturn]] void export_panic(const char* format, ...) {
  char text[256];
  va_list arguments;
  va_start(arguments, format);
  fw::format_text(text, format, arguments);
  va_end(arguments);
  host::panic("%s", text);
}

[[noreturn]] void export_fortify_panic(const char* function) {
  host::panic("detected buffer overflow in %s", function);
}

/// Hardened lists ask this before each change: the neighbours have to agree. What does not is told,
/// and the change is not made.
bool export_list_add_valid(const ListHead* added, const ListHead* before, const ListHead* after) {
  if (before->next == after && after->previous == before && added != before && added != after)
    return true;
  host::printk("list_add corruption at %pS\n", __builtin_return_address(0));
  return false;
}
bool export_list_del_entry_valid(const ListHead* entry) {
  if (entry->next->previous == entry && entry->previous->next == entry) return true;
  host::printk("list_del corruption at %pS\n", __builtin_return_address(0));
  return false;
}

std::size_t export_strnlen(const char* text, std::size_t limit) {
  return fw::string_length(text, limit);
}
int export_strcmp(const char* a, const char* b) {
  return fw::compare_strings(a, b);
}
int export_strncmp(const char* a, const char* b, std::size_t limit) {
  return fw::compare_strings(a, b, limit);
}
char* export_strchr(const char* text, int wanted) {
  return const_cast<char*>(fw::find_first(text, static_cast<char>(wanted)));
}
char* export_strrchr(const char* text, int wanted) {
  return const_cast<char*>(fw::find_last(text, static_cast<char>(wanted)));
}
char* export_strstr(const char* text, const char* wanted) {
  const std::size_t size = fw::string_length(wanted);
  for (;; ++text) {
    if (fw::compare_strings(text, wanted, size) == 0) return const_cast<char*>(text);
    if (*text == '\0') return nullptr;
  }
}

/// The length copied, or -E2BIG when it was cut.
long export_strscpy(char* to, const char* from, std::size_t room) {
  if (room == 0) return pkvm::negated(pkvm::Errno::e2big);
  const std::size_t size = fw::string_length(from, room);
  const bool whole = fw::copy_string({to, room}, {from, size});
  return whole ? static_cast<long>(size) : pkvm::negated(pkvm::Errno::e2big);
}

std::size_t export_strlcpy(char* to, const char* from, std::size_t room) {
  const std::size_t size = fw::string_length(from);
  fw::copy_string({to, room}, {from, size});
  return size;
}

char* export_strcpy(char* to, const char* from) {
  fw::copy_bytes(to, from, fw::string_length(from) + 1);
  return to;
}

char* export_strncpy(char* to, const char* from, std::size_t room) {
  const std::size_t size = fw::string_length(from, room);
  fw::copy_bytes(to, from, size);
  fw::fill_bytes(to + size, 0, room - size);
  return to;
}

int export_vsnprintf(char* to, std::size_t room, const char* format, va_list arguments) {
  return static_cast<int>(fw::format_text({to, room}, format, arguments));
}

int export_vscnprintf(char* to, std::size_t room, const char* format, va_list arguments) {
  return written(fw::format_text({to, room}, format, arguments), room);
}

int export_snprintf(char* to, std::size_t room, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const std::size_t size = fw::format_text({to, room}, format, arguments);
  va_end(arguments);
  return static_cast<int>(size);
}

int export_scnprintf(char* to, std::size_t room, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const std::size_t size = fw::format_text({to, room}, format, arguments);
  va_end(arguments);
  return written(size, room);
}

/// Into a page that a file of sysfs is read into.
int export_sysfs_emit(char* page, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const std::size_t size = fw::format_text({page, pkvmemu::page_size}, format, arguments);
  va_end(arguments);
  return written(size, pkvmemu::page_size);
}
int export_sysfs_emit_at(char* page, int at, const char* format, ...) {
  if (at < 0 || static_cast<std::size_t>(at) >= pkvmemu::page_size) return 0;
  const std::size_t room = pkvmemu::page_size - static_cast<std::size_t>(at);
  va_list arguments;
  va_start(arguments, format);
  const std::size_t size = fw::format_text({page + at, room}, format, arguments);
  va_end(arguments);
  return written(size, room);
}

int export_sprintf(char* to, const char* format, ...) {
  constexpr std::size_t unbounded = 0x7fff'ffff;
  va_list arguments;
  va_start(arguments, format);
  const std::size_t size = fw::format_text({to, unbounded}, format, arguments);
  va_end(arguments);
  return static_cast<int>(size);
}
}
