// SPDX-License-Identifier: GPL-2.0-only
#include "host/module/load_error.h"

#include <array>

#include "image/text.h"
#include "lib/fault.h"

namespace pkvmemu::kmod {
namespace {

using image::TextWriter;

struct Row {
  Problem problem;
  std::string_view words;
};

constexpr std::array rows = {
    Row{Problem::no_such_file, "no such file"},
    Row{Problem::damaged_archive, "the initramfs is damaged: {image}"},
    Row{Problem::dependency_failed, "{name}, which it depends on, did not load"},
    Row{Problem::cannot_read, "its file could not be read: {status}"},
    Row{Problem::damaged_file, "{image}"},
    Row{Problem::wrong_version, "version magic '{name}' should be '{other}'"},
    Row{Problem::already_loaded, "already loaded"},
    Row{Problem::too_many_modules, "{expected} modules are loaded, which is all there is room for"},
    Row{Problem::no_memory, "no memory for {expected} bytes"},
    Row{Problem::common_symbol, "symbol {name} is common: compile with -fno-common"},
    Row{Problem::unknown_symbol, "Unknown symbol {name}"},
    Row{Problem::unknown_symbols, "Unknown symbol {name} and {expected} more"},
    Row{Problem::blacklisted, "blacklisted by module_blacklist= on the kernel command line"},
    Row{Problem::cyclic_dependency,
        "modules.dep is cyclic: {name} needs {other}, which needs {name}"},
    Row{Problem::arguments_too_long, "its parameters are longer than {expected} characters"},
    Row{Problem::invalid_parameter, "`{other}' invalid for parameter `{name}'"},
    Row{Problem::parameter_too_large, "`{other}' too large for parameter `{name}'"},
    Row{Problem::rel_section, "section {other} has REL relocations, which AArch64 does not use"},
    Row{Problem::unsupported_relocation, "unsupported relocation {found} at {other}+{offset}"},
    Row{Problem::outside_section, "relocation {relocation} at {other}+{offset} is outside"},
    Row{Problem::no_such_symbol,
        "relocation {relocation} at {other}+{offset} is against symbol {found}, of {expected}"},
    Row{Problem::overflow,
        "relocation {relocation} at {other}+{offset} against {name} overflows: {distance} is more "
        "than {bits} bits hold"},
    Row{Problem::not_relocated,
        "relocation {relocation} at {other}+{offset} could not be made: {status}"},
    Row{Problem::no_plt_room, "no PLT entry is left for {name} at {other}+{offset}"},
    Row{Problem::no_hyp_reloc, "has .hyp.text but no .hyp.reloc: was gen-hyprel run?"},
    Row{Problem::other_page_size,
        "its EL2 sections are aligned to {expected} bytes, so it was linked for a kernel with such "
        "pages: build it for 4 KiB pages"},
    Row{Problem::init_failed, "init returned {status}"},
    Row{Problem::init_failed_late,
        "init returned {status}; its EL2 half was loaded before and stays with EL2"},
    Row{Problem::not_protected, "the kernel is not in protected mode"},
    Row{Problem::finalised, "the host has already been deprivileged"},
    Row{Problem::unaligned_section,
        "{other} is at {address}, not a multiple of the page size ({expected}): was it linked with "
        "the module linker script?"},
    Row{Problem::unknown_module, "no loaded module has its struct module at {address}"},
    Row{Problem::no_init_word,
        "{found} words of struct module point into .hyp.text, expected one (the EL2 init "
        "function)"},
    Row{Problem::no_hyp_section, "has no EL2 section"},
    Row{Problem::va_refused, "the hypervisor refused an address range (x0 = {distance})"},
    Row{Problem::no_hyp_va, "no EL2 addresses for {expected} pages"},
    Row{Problem::map_refused,
        "the hypervisor refused a page of {other} (frame {address}): {status}"},
    Row{Problem::hyp_init_failed, "init returned {status}"},
    Row{Problem::share_refused,
        "the hypervisor refused to share the descriptor (frame {address}): {status}"},
    Row{Problem::no_reference, "no reference on it could be taken: {status}"},
    Row{Problem::sections_refused, "its EL2 sections are not accepted: {status}"},
    Row{Problem::import_not_a_call,
        "{other}+{offset} uses {name} of another module's EL2 half by relocation {found}: only "
        "calls (R_AARCH64_CALL26) can be imported"},
    Row{Problem::import_not_exported,
        "{other}+{offset} calls {name}, which no EL2 half that is loaded has"},
    Row{Problem::import_not_in_text,
        "{other}+{offset} calls {name}, which does not lie in another module's .hyp.text, behind "
        "its first byte"},
    Row{Problem::import_too_far, "{other}+{offset} does not reach {name}, {distance} bytes away"},
    Row{Problem::helper_failed, "modprobe did not start: {status}"},
    Row{Problem::el2_no_half, "only its EL2 half is wanted, and it has none"},
    Row{Problem::el2_no_init, "only its EL2 half is wanted: name its EL2 init function (--init)"},
    Row{Problem::el2_no_struct, "its struct module has no room for an EL2 init"},
    Row{Problem::el2_no_symbol, "its EL2 half has no symbol {name}{near}"},
    Row{Problem::el2_ambiguous, "its EL2 half has two symbols {name}"},
    Row{Problem::el2_not_code, "{name} lies in {other}, not among EL2's functions (.hyp.text)"},
    Row{Problem::el2_not_data, "{name} lies in {other}, not among EL2's variables"},
    Row{Problem::el2_bad_value, "'{other}' is no value for {name}: a number, or hex:BYTES"},
    Row{Problem::el2_no_number, "{name} has {expected} bytes: give them as hex:BYTES"},
    Row{Problem::el2_value_too_large, "'{other}' is too large for {name} of {expected} bytes"},
};

void put_status(TextWriter& out, int status) {
  out.put_signed(status);
  const std::string_view name = pkvm::errno_name(status);
  if (name.empty()) return;
  out.put(" (");
  out.put(name);
  out.put(')');
}

void put_image_error(TextWriter& out, const image::Error& error) {
  std::array<char, 192> buffer;
  out.put(image::describe(error, buffer));
}

void put_near(TextWriter& out, std::span<const std::string_view> names) {
  if (names.empty()) return;
  out.put("; it has ");
  for (const std::string_view& name : names) {
    if (&name != &names.front()) out.put(", ");
    out.put(name);
  }
}

struct Field {
  std::string_view name;
  void (*put)(TextWriter& out, const LoadError& error);
};

constexpr std::array fields = {
    Field{"name", [](TextWriter& out, const LoadError& e) { out.put(e.name); }},
    Field{"other", [](TextWriter& out, const LoadError& e) { out.put(e.other); }},
    Field{"relocation", [](TextWriter& out, const LoadError& e) { out.put(e.relocation); }},
    Field{"offset", [](TextWriter& out, const LoadError& e) { out.put_hex(e.offset); }},
    Field{"expected", [](TextWriter& out, const LoadError& e) { out.put_decimal(e.expected); }},
    Field{"bits", [](TextWriter& out, const LoadError& e) { out.put_decimal(e.expected); }},
    Field{"found", [](TextWriter& out, const LoadError& e) { out.put_decimal(e.found); }},
    Field{"address", [](TextWriter& out, const LoadError& e) { out.put_hex(e.found); }},
    Field{"distance",
          [](TextWriter& out, const LoadError& e) {
            out.put_signed(static_cast<std::int64_t>(e.found));
          }},
    Field{"status", [](TextWriter& out, const LoadError& e) { put_status(out, e.status); }},
    Field{"near", [](TextWriter& out, const LoadError& e) { put_near(out, e.near.names()); }},
    Field{"image", [](TextWriter& out, const LoadError& e) { put_image_error(out, e.image); }},
};

void put_field(TextWriter& out, std::string_view name, const LoadError& error) {
  for (const Field& field : fields)
    if (field.name == name) field.put(out, error);
}

}  // namespace

std::string_view words_of(Problem problem) {
  for (const Row& row : rows)
    if (row.problem == problem) return row.words;
  return {};
}

std::string_view describe(const LoadError& error, std::span<char> buffer) {
  TextWriter out(buffer);
  std::string_view words = words_of(error.problem);
  while (!words.empty()) {
    const std::size_t open = words.find('{');
    out.put(image::head(words, open));
    if (open == std::string_view::npos) break;
    const std::size_t close = words.find('}', open);
    put_field(out, image::head(image::tail(words, open + 1), close - open - 1), error);
    words = image::tail(words, close + 1);
  }
  return out.written();
}

}  // namespace pkvmemu::kmod
