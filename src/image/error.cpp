// SPDX-License-Identifier: GPL-2.0-only
#include "image/error.h"

#include <array>

#include "image/text.h"

namespace pkvmemu::image {
namespace {

struct Row {
  Code code;
  std::string_view words;
};

// {expected} and {found} are decimal, {offset} and {x-found} hexadecimal.
constexpr std::array rows = {
    Row{Code::empty, "the file is empty"},
    Row{Code::truncated,
        "the file ends too early: {expected} bytes needed at {offset}, {found} are there: was it "
        "copied whole?"},
    Row{Code::bad_magic, "bad magic number {x-found} at {offset}, expected {x-expected}"},
    Row{Code::not_elf, "not an ELF file: is it the .ko that a build wrote?"},
    Row{Code::bad_header_size,
        "damaged: section headers are {found} bytes each, expected {expected}"},
    Row{Code::section_outside,
        "damaged: section {index} ({found} bytes at {offset}) is not inside the file of {expected} "
        "bytes: was it copied whole?"},
    Row{Code::bad_elf_class, "not a 64-bit ELF file (class {found}, expected {expected})"},
    Row{Code::bad_elf_encoding,
        "not a little-endian ELF file (encoding {found}, expected {expected}): arm64 kernels are "
        "little-endian"},
    Row{Code::bad_elf_type,
        "not a relocatable file (ELF type {found}, expected {expected}): is it a .ko?"},
    Row{Code::bad_elf_machine,
        "not for AArch64 (ELF machine {found}, expected {expected}): build it with ARCH=arm64"},
    Row{Code::bad_entry_size,
        "damaged: section {index} has entries of {found} bytes, expected {expected}"},
    Row{Code::bad_section_index, "damaged: record {index} refers to section {found} of {expected}"},
    Row{Code::bad_symbol_index, "damaged: record {index} refers to symbol {found} of {expected}"},
    Row{Code::no_symbol_table,
        "no symbol table: strip it with --strip-debug or --strip-unneeded at most, since a kernel "
        "links by symbols, too"},
    Row{Code::many_symbol_tables, "damaged: section {index} is a second symbol table"},
    Row{Code::bad_string, "damaged: a name at {offset} has no end"},
    Row{Code::bad_alignment,
        "damaged: section {index} asks for alignment {found}, not a power of two"},
    Row{Code::no_section, "a section that every module has is absent"},
    Row{Code::bad_size, "section {index} is {found} bytes, expected at least {expected}"},
    Row{Code::no_vermagic, "no vermagic in .modinfo: is it a kernel module?"},
    Row{Code::bad_digit, "a header field at {offset} is not a hexadecimal number"},
    Row{Code::no_trailer, "the archive ends without its trailer"},
    Row{Code::bad_version, "devicetree version {found} is not understood (need {expected})"},
    Row{Code::bad_token, "unknown devicetree token {x-found} at {offset}"},
    Row{Code::bad_nesting, "devicetree nodes do not nest at {offset}"},
};

void put_field(TextWriter& out, std::string_view field, const Error& error) {
  if (field == "index") out.put_decimal(error.index);
  if (field == "offset") out.put_hex(error.offset);
  if (field == "expected") out.put_decimal(error.expected);
  if (field == "found") out.put_decimal(error.found);
  if (field == "x-expected") out.put_hex(error.expected);
  if (field == "x-found") out.put_hex(error.found);
}

}  // namespace

std::string_view words_of(Code code) {
  for (const Row& row : rows)
    if (row.code == code) return row.words;
  return {};
}

std::string_view describe(const Error& error, std::span<char> buffer) {
  TextWriter out(buffer);
  std::string_view words = words_of(error.code);
  while (!words.empty()) {
    const std::size_t open = words.find('{');
    out.put(head(words, open));
    if (open == std::string_view::npos) break;
    const std::size_t close = words.find('}', open);
    put_field(out, head(tail(words, open + 1), close - open - 1), error);
    words = tail(words, close + 1);
  }
  return out.written();
}

}  // namespace pkvmemu::image
