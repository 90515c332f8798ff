// SPDX-License-Identifier: GPL-2.0-only
#include "build/assembly_module.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "build/module_source.h"
#include "pkvm/kcfi_words.h"
#include "pkvm/ops.h"

namespace pkvmemu::build {
namespace {

// sizeof(module.name) of every generation.
constexpr std::uint32_t name_room = 56;
constexpr unsigned pointer = 8;

bool is_word_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// The word that stands before a function, as a line of assembly; none where kCFI is off.
std::string word_line(Cfi cfi, const pkvm::kcfi::Words& words) {
  switch (cfi) {
    case Cfi::off:
      return "";
    case Cfi::plain:
      return fmt::format(".4byte {:#x}\n", words.plain);
    case Cfi::normalised:
      return fmt::format(".4byte {:#x}\n", words.normalised);
  }
  return "";
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::vector<std::string_view> words_of(std::string_view line) {
  constexpr std::string_view blanks = " \t\r";
  std::vector<std::string_view> words;
  for (;;) {
    const std::size_t begin = line.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return words;
    line.remove_prefix(begin);
    const std::string_view word = line.substr(0, line.find_first_of(blanks));
    if (word.starts_with("//")) return words;
    words.push_back(word);
    line.remove_prefix(word.size());
  }
}

/// What the macros of the text stand before.
struct Entries {
  bool has_init = false;
  std::vector<std::string> handlers;
};

Entries entries_of(std::string_view text) {
  Entries entries;
  for (const std::string_view line : lines_of(text)) {
    const std::vector<std::string_view> words = words_of(line);
    entries.has_init = entries.has_init || (words.size() == 1 && words[0] == "init");
    if (words.size() == 2 && words[0] == "handler") entries.handlers.emplace_back(words[1]);
  }
  return entries;
}

std::optional<unsigned> offset_of_op(std::string_view name, pkvm::Generation generation) {
  for (const pkvm::OpRow& row : pkvm::op_rows)
    if (row.name == name && row.slot_in(generation) >= 0)
      return static_cast<unsigned>(row.slot_in(generation)) * pointer;
  return std::nullopt;
}

/// `line` with a number for each ops.NAME; the error is the NAME that the generation has not.
std::expected<std::string, std::string_view> with_offsets(std::string_view line,
                                                          pkvm::Generation generation) {
  constexpr std::string_view prefix = "ops.";
  std::string result;
  for (;;) {
    const std::size_t at = line.find(prefix);
    if (at == std::string_view::npos) return result.append(line);
    const bool inside_word = at > 0 && is_word_character(line[at - 1]);
    result += line.substr(0, at);
    line.remove_prefix(at + prefix.size());
    const auto* const end = std::ranges::find_if_not(line, is_word_character);
    const std::string_view name(line.begin(), end);
    if (inside_word) {
      result += prefix;
      continue;
    }
    const auto offset = offset_of_op(name, generation);
    if (!offset) return std::unexpected(name);
    result += std::to_string(*offset);
    line.remove_prefix(name.size());
  }
}

Result<std::string> with_offsets(const AssemblySource& source) {
  std::string result;
  int number = source.first_line;
  for (const std::string_view line : lines_of(source.text)) {
    auto changed = with_offsets(line, source.generation);
    if (!changed)
      return fail("{}:{}: ops.{}: {} has no such operation", source.file, number, changed.error(),
                  pkvm::info(source.generation).kmi);
    result += *changed + "\n";
    ++number;
  }
  return result;
}

std::string prologue(const AssemblySource& source, Cfi cfi) {
  const auto entry = [](std::string_view head, std::string_view word, std::string_view name) {
    return fmt::format(".macro {}\n.balign 4\n{}.globl {}\n.type {}, %function\n{}:\n.endm\n", head,
                       word, name, name, name);
  };
  return entry("init", word_line(cfi, pkvm::kcfi::hyp_init),
               fmt::format("{}_hyp_init", source.module_name)) +
         entry("handler name", word_line(cfi, pkvm::kcfi::handler), "\\name") + ".text\n";
}

constexpr std::string_view default_init = ".text\ninit\nmov w0, #0\nret\n";

std::string address_of(std::string_view reg, std::string_view symbol) {
  return fmt::format("adrp {0}, {1}\nadd {0}, {0}, :lo12:{1}\n", reg, symbol);
}

/// int init_module(void): loads the EL2 half and registers the handlers.
std::string el1_init(const AssemblySource& source, Cfi cfi, const Entries& entries) {
  const pkvm::ModuleLayout& layout = pkvm::info(source.generation).module;
  std::string text =
      ".text\n.balign 4\n" + word_line(cfi, pkvm::kcfi::el1_init) +
      ".globl init_module\n.type init_module, %function\ninit_module:\n"
      "stp x29, x30, [sp, #-48]!\nmov x29, sp\nstr x19, [sp, #16]\n" +
      address_of("x19", "__this_module") +
      address_of("x1", fmt::format("{}{}_hyp_init", nvhe_prefix, source.module_name)) +
      fmt::format("str x1, [x19, #{}]\n", layout.arch_hyp + layout.hyp_init) +
      "mov x0, x19\nadd x1, sp, #32\nbl __pkvm_load_el2_module\ncbnz w0, 1f\n";
  // A handler's address at EL2 is the token plus its distance from the first section, .hyp.text,
  // whose start begins the EL2 part of struct module (pkvm-abi.md 3.1).
  for (const std::string& handler : entries.handlers)
    text +=
        fmt::format("ldr x0, [sp, #32]\nldr x1, [x19, #{}]\nsub x0, x0, x1\n", layout.arch_hyp) +
        address_of("x1", fmt::format("{}{}", nvhe_prefix, handler)) +
        "add x0, x0, x1\nbl __pkvm_register_el2_call\ntbnz w0, #31, 1f\n";
  return text + "mov w0, #0\n1: ldr x19, [sp, #16]\nldp x29, x30, [sp], #48\nret\n";
}

std::string descriptor(const AssemblySource& source) {
  const pkvm::ModuleLayout& layout = pkvm::info(source.generation).module;
  return fmt::format(
      ".section .gnu.linkonce.this_module, \"aw\"\n.balign 64\n.globl __this_module\n"
      "__this_module:\n.zero {0}\n.ascii \"{1}\"\n.zero {2}\n.zero {3}\n.quad init_module\n"
      ".zero {4}\n"
      ".section .modinfo, \"a\"\n.asciz \"license=GPL\"\n.asciz \"depends={5}\"\n"
      ".asciz \"name={1}\"\n.asciz \"vermagic={6}\"\n",
      layout.name, source.module_name, name_room - source.module_name.size(),
      layout.init - layout.name - name_room, layout.size - layout.init - pointer,
      fmt::join(source.depends, ","), vermagic(source.generation));
}

}  // namespace

Result<AssembledModule> assembly_module(const AssemblySource& source) {
  const KmiRow& row = kmi_row(source.generation);
  const Entries entries = entries_of(source.text);
  Result<std::string> text = with_offsets(source);
  if (!text) return std::unexpected(text.error());
  const std::string before = prologue(source, source.cfi.value_or(row.el2_cfi));
  AssembledModule module;
  module.el1 = el1_init(source, source.cfi.value_or(row.el1_cfi), entries) + descriptor(source);
  module.el2 = before + *text + std::string(entries.has_init ? "" : default_init);
  module.el2_first_line = source.first_line - static_cast<int>(std::ranges::count(before, '\n'));
  return module;
}

}  // namespace pkvmemu::build
