// SPDX-License-Identifier: GPL-2.0-only
// Module parameters: the kernel's struct kernel_param_ops for each type, with setters that read
// text as the kernel's do and getters that print it. set_kernel_parameter is how the loader uses
// them, and those that a module defines itself.
#include "host/exported_params.h"

#include <array>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "host/number_text.h"
#include "lib/format.h"
#include "lib/memory.h"
#include "lib/string.h"
#include "pkvm/errno.h"

namespace fw = pkvmemu::fw;
namespace host = pkvmemu::host;
using pkvm::Errno;
using pkvm::negated;

extern "C" {
void* export_kmalloc(std::size_t size, unsigned flags);
}

namespace {

constexpr std::size_t page = 4096;  ///< room behind a getter's buffer
constexpr std::size_t string_limit = 1024;
constexpr unsigned without_value_allowed = 1;  ///< KERNEL_PARAM_OPS_FL_NOARG

struct KernelParam;
struct KernelParamOps {
  unsigned flags;
  int (*set)(const char* value, const KernelParam* param);
  int (*get)(char* buffer, const KernelParam* param);
  void (*free)(void* argument);
};
struct KernelParam {
  const char* name;
  void* module;
  const KernelParamOps* ops;
  std::uint16_t permissions;
  std::int8_t level;
  std::uint8_t flags;
  void* argument;
};
static_assert(sizeof(KernelParam) == 40);

/// Behind a charp-like array parameter: struct kparam_array.
struct ParamArray {
  unsigned max;
  unsigned element_size;
  unsigned* count;  ///< may be null
  const KernelParamOps* ops;
  void* elements;
};
/// struct kparam_string.
struct ParamString {
  unsigned room;
  char* text;
};

int print(char* buffer, const char* format, ...) __attribute__((format(printf, 2, 3)));
int print(char* buffer, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const std::size_t size = fw::format_text({buffer, page}, format, arguments);
  va_end(arguments);
  return static_cast<int>(size < page ? size : page - 1);
}

template <typename T>
constexpr bool is_signed = static_cast<T>(-1) < static_cast<T>(0);

template <typename T>
int set_integer(const char* value, const KernelParam* param) {
  const auto parsed =
      host::parse_integer(value, {.bits = 8 * sizeof(T), .is_signed = is_signed<T>});
  if (!parsed) return negated(parsed.error());
  *static_cast<T*>(param->argument) = static_cast<T>(*parsed);
  return 0;
}

template <typename T>
int get_integer(char* buffer, const KernelParam* param) {
  const T value = *static_cast<const T*>(param->argument);
  if constexpr (is_signed<T>) return print(buffer, "%lld\n", static_cast<long long>(value));
  return print(buffer, "%llu\n", static_cast<unsigned long long>(value));
}

int get_hexadecimal(char* buffer, const KernelParam* param) {
  return print(buffer, "%#08x\n", *static_cast<const unsigned*>(param->argument));
}

int set_bool(const char* value, const KernelParam* param) {
  const auto parsed = host::parse_switch(value == nullptr ? "1" : value);
  if (!parsed) return negated(parsed.error());
  *static_cast<bool*>(param->argument) = *parsed;
  return 0;
}

int get_bool(char* buffer, const KernelParam* param) {
  return print(buffer, "%c\n", *static_cast<const bool*>(param->argument) ? 'Y' : 'N');
}

int set_inverted_bool(const char* value, const KernelParam* param) {
  bool parsed = false;
  KernelParam plain = *param;
  plain.argument = &parsed;
  const int status = set_bool(value, &plain);
  if (status == 0) *static_cast<bool*>(param->argument) = !parsed;
  return status;
}

int get_inverted_bool(char* buffer, const KernelParam* param) {
  return print(buffer, "%c\n", *static_cast<const bool*>(param->argument) ? 'N' : 'Y');
}

/// A copy that is never freed: the module may have kept it.
int set_text_pointer(const char* value, const KernelParam* param) {
  const std::size_t size = fw::string_length(value, string_limit + 1);
  if (size > string_limit) return negated(Errno::enospc);
  auto* copy = static_cast<char*>(export_kmalloc(size + 1, 0));
  if (copy == nullptr) return negated(Errno::enomem);
  fw::copy_bytes(copy, value, size + 1);
  *static_cast<char**>(param->argument) = copy;
  return 0;
}

int get_text_pointer(char* buffer, const KernelParam* param) {
  return print(buffer, "%s\n", *static_cast<char* const*>(param->argument));
}

int set_text_buffer(const char* value, const KernelParam* param) {
  const auto* target = static_cast<const ParamString*>(param->argument);
  const std::size_t size = fw::string_length(value);
  if (size + 1 > target->room) return negated(Errno::enospc);
  fw::copy_bytes(target->text, value, size + 1);
  return 0;
}

int get_text_buffer(char* buffer, const KernelParam* param) {
  return print(buffer, "%s\n", static_cast<const ParamString*>(param->argument)->text);
}

/// "1,2,3": each item through the element type's own setter.
int set_array(const char* value, const KernelParam* param) {
  const auto* array = static_cast<const ParamArray*>(param->argument);
  KernelParam element = *param;
  element.argument = array->elements;
  std::string_view rest(value, fw::string_length(value));
  unsigned count = 0;
  while (true) {
    if (count == array->max) return negated(Errno::einval);
    const std::size_t comma = rest.find(',');
    const bool last = comma == std::string_view::npos;
    const std::string_view item(rest.data(), last ? rest.size() : comma);
    std::array<char, string_limit + 1> text{};
    if (!fw::copy_string(text, item)) return negated(Errno::enospc);
    if (const int status = array->ops->set(text.data(), &element); status != 0) return status;
    ++count;
    element.argument = static_cast<std::byte*>(element.argument) + array->element_size;
    if (last) break;
    rest.remove_prefix(comma + 1);
  }
  if (array->count != nullptr) *array->count = count;
  return 0;
}

int get_array(char* buffer, const KernelParam* param) {
  const auto* array = static_cast<const ParamArray*>(param->argument);
  KernelParam element = *param;
  element.argument = array->elements;
  int used = 0;
  const unsigned count = array->count == nullptr ? array->max : *array->count;
  for (unsigned i = 0; i < count; ++i) {
    if (i != 0) buffer[used - 1] = ',';  // in place of the newline
    used += array->ops->get(buffer + used, &element);
    element.argument = static_cast<std::byte*>(element.argument) + array->element_size;
  }
  buffer[used] = '\0';
  return used;
}

}  // namespace

extern "C" {
#define PKVMEMU_PARAM(name, set, get) \
  extern const KernelParamOps export_param_ops_##name = {0, set, get, nullptr}
#define PKVMEMU_SWITCH(name, set, get) \
  extern const KernelParamOps export_param_ops_##name = {without_value_allowed, set, get, nullptr}
PKVMEMU_PARAM(byte, set_integer<std::uint8_t>, get_integer<std::uint8_t>);
PKVMEMU_PARAM(short, set_integer<short>, get_integer<short>);
PKVMEMU_PARAM(ushort, set_integer<unsigned short>, get_integer<unsigned short>);
PKVMEMU_PARAM(int, set_integer<int>, get_integer<int>);
PKVMEMU_PARAM(uint, set_integer<unsigned>, get_integer<unsigned>);
PKVMEMU_PARAM(long, set_integer<long>, get_integer<long>);
PKVMEMU_PARAM(ulong, set_integer<unsigned long>, get_integer<unsigned long>);
PKVMEMU_PARAM(ullong, set_integer<unsigned long long>, get_integer<unsigned long long>);
PKVMEMU_PARAM(hexint, set_integer<unsigned>, get_hexadecimal);
PKVMEMU_SWITCH(bool, set_bool, get_bool);
PKVMEMU_SWITCH(invbool, set_inverted_bool, get_inverted_bool);
PKVMEMU_PARAM(charp, set_text_pointer, get_text_pointer);
PKVMEMU_PARAM(string, set_text_buffer, get_text_buffer);
// What a module's own `ops` call for the plain part of their work.
// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): one row each.
#define PARAM_FUNCTIONS(name, set, get)                                      \
  int export_param_set_##name(const char* value, const KernelParam* param) { \
    return set(value, param);                                                \
  }                                                                          \
  int export_param_get_##name(char* buffer, const KernelParam* param) {      \
    return get(buffer, param);                                               \
  }
PARAM_FUNCTIONS(int, set_integer<int>, get_integer<int>)
PARAM_FUNCTIONS(uint, set_integer<unsigned>, get_integer<unsigned>)
PARAM_FUNCTIONS(ulong, set_integer<unsigned long>, get_integer<unsigned long>)
PARAM_FUNCTIONS(bool, set_bool, get_bool)
PARAM_FUNCTIONS(charp, set_text_pointer, get_text_pointer)
PARAM_FUNCTIONS(copystring, set_text_buffer, get_text_buffer)
#undef PARAM_FUNCTIONS

extern const KernelParamOps export_param_array_ops = {0, set_array, get_array, nullptr};
#undef PKVMEMU_SWITCH
#undef PKVMEMU_PARAM
}

namespace pkvmemu::host {

int set_kernel_parameter(std::uint64_t record, const char* value) {
  const auto* param = reinterpret_cast<const KernelParam*>(record);
  if (param->ops == nullptr || param->ops->set == nullptr) return negated(Errno::einval);
  if (value == nullptr && (param->ops->flags & without_value_allowed) == 0)
    return negated(Errno::einval);
  return param->ops->set(value, param);
}

}  // namespace pkvmemu::host
