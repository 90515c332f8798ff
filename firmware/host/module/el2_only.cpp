// SPDX-License-Identifier: GPL-2.0-only
#include "host/module/el2_only.h"

#include <array>
#include <optional>
#include <span>

#include "image/ko.h"
#include "image/text.h"
#include "lib/string.h"
#include "pkvm/el2_only.h"
#include "support/bits.h"

namespace pkvmemu::kmod {
namespace {

namespace words = pkvm::el2_only;

constexpr std::string_view text_section = ".hyp.text";
constexpr std::string_view hyp_section_prefix = ".hyp.";
constexpr std::uint64_t word_size = 8;
constexpr unsigned bits_per_byte = 8;

LoadError problem(Problem what, Errno number, std::string_view name) {
  LoadError error;
  error.problem = what;
  error.step = Step::discover_hyp;
  error.status = negated(number);
  error.name = name;
  return error;
}

/// A symbol that the file defines, and where it lies.
struct Place {
  image::Symbol symbol;
  image::Section section;

  [[nodiscard]] bool is_el2() const { return section.name.starts_with(hyp_section_prefix); }
};

std::optional<Place> place_of(const Module& module, std::uint32_t index) {
  const auto symbol = module.file.elf().symbol(index);
  if (!symbol || !symbol->in_section() || symbol->name.empty()) return std::nullopt;
  const auto section = module.file.elf().section(symbol->entry.section);
  if (!section) return std::nullopt;
  return Place{.symbol = *symbol, .section = *section};
}

/// What a name of the EL2 half should stand for.
enum class Kind : std::uint8_t { function, variable };

bool is_a(const Place& place, Kind kind) {
  return place.is_el2() && (place.section.name == text_section) == (kind == Kind::function);
}

/// With those of its kind that have names like it. "$d" and its like are the assembler's own.
LoadError no_symbol(const Module& module, std::string_view name, Kind kind) {
  LoadError error = problem(Problem::el2_no_symbol, Errno::enoent, name);
  error.near = NearNames(image::without_hyp_prefix(name));
  for (std::uint32_t i = 1; i < module.symbols.size(); ++i) {
    const auto place = place_of(module, i);
    if (place && is_a(*place, kind) && !place->symbol.name.starts_with('$'))
      error.near.offer(image::without_hyp_prefix(place->symbol.name));
  }
  return error;
}

/// By its name with or without the prefix that EL2's symbols have. One of EL2 comes first, so that
/// one of EL1 is found only to say where it lies.
Loaded<Place> find(const Module& module, std::string_view name, Kind kind) {
  std::optional<Place> found;
  for (std::uint32_t i = 1; i < module.symbols.size(); ++i) {
    const auto place = place_of(module, i);
    if (!place) continue;
    if (image::without_hyp_prefix(place->symbol.name) != image::without_hyp_prefix(name)) continue;
    if (found && found->is_el2() && place->is_el2())
      return std::unexpected(problem(Problem::el2_ambiguous, Errno::einval, name));
    if (!found || place->is_el2()) found = place;
  }
  if (!found) return std::unexpected(no_symbol(module, name, kind));
  return *found;
}

/// A function of the EL2 half, at its kernel address.
Loaded<KernVa> find_function(const Module& module, std::string_view name) {
  const auto place = find(module, name, Kind::function);
  if (!place) return std::unexpected(place.error());
  if (place->section.name == text_section) return KernVa{module.symbols[place->symbol.index]};
  LoadError error = problem(Problem::el2_not_code, Errno::einval, name);
  error.other = place->section.name;
  return std::unexpected(error);
}

/// Where arch.hyp is in struct module; one of another layout will do, since nobody else reads it.
Loaded<void> store_init(pkvm::Generation generation, Module& module, KernVa init) {
  const pkvm::ModuleLayout& layout = pkvm::info(generation).module;
  if (!module.hyp.struct_offset) module.hyp.struct_offset = layout.arch_hyp;
  const auto own = module.this_module_bytes();
  const std::uint64_t at = *module.hyp.struct_offset + layout.hyp_init;
  const std::uint64_t end = *module.hyp.struct_offset + layout.hyp_size;
  if (end > own.size() || at + word_size > own.size())
    return std::unexpected(problem(Problem::el2_no_struct, Errno::einval, module.name()));
  __builtin_memcpy(own.data() + at, &init.value, sizeof(init.value));
  return {};
}

/// The bytes of a variable: its own, or all to the end of its section where its size is not known.
Loaded<std::span<std::byte>> variable(Module& module, std::string_view name) {
  const auto place = find(module, name, Kind::variable);
  if (!place) return std::unexpected(place.error());
  if (!place->is_el2() || place->section.name == text_section) {
    LoadError error = problem(Problem::el2_not_data, Errno::einval, name);
    error.other = place->section.name;
    return std::unexpected(error);
  }
  const auto all = module.sections[place->section.index].bytes;
  const std::uint64_t start = place->symbol.entry.value;
  if (start > all.size())
    return std::unexpected(problem(Problem::el2_no_symbol, Errno::einval, name));
  const std::uint64_t size = place->symbol.entry.size;
  const auto rest = all.subspan(start);
  return size == 0 || size > rest.size() ? rest : rest.first(size);
}

LoadError misfit(Problem what, std::string_view name, std::string_view value,
                 std::uint64_t expected) {
  LoadError error = problem(what, Errno::erange, name);
  error.other = value;
  error.expected = expected;
  return error;
}

std::optional<unsigned> digit_in(char c) {
  constexpr unsigned ten = 10;
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + ten;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + ten;
  return std::nullopt;
}

Loaded<void> set_bytes(std::span<std::byte> where, std::string_view name, std::string_view digits) {
  if (digits.size() % 2 != 0 || digits.empty())
    return std::unexpected(misfit(Problem::el2_bad_value, name, digits, where.size()));
  if (digits.size() / 2 > where.size())
    return std::unexpected(misfit(Problem::el2_value_too_large, name, digits, where.size()));
  constexpr unsigned digit_bits = 4;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const auto high = digit_in(digits[i]);
    const auto low = digit_in(digits[i + 1]);
    if (!high || !low)
      return std::unexpected(misfit(Problem::el2_bad_value, name, digits, where.size()));
    where[i / 2] = static_cast<std::byte>((*high << digit_bits) | *low);
  }
  return {};
}

/// A number has the variable's own size. Negative ones come as 64 bits.
Loaded<void> set_number(std::span<std::byte> where, std::string_view name, std::string_view text) {
  const auto number = fw::parse_number(text);
  if (!number) return std::unexpected(misfit(Problem::el2_bad_value, name, text, where.size()));
  const std::size_t size = where.size();
  if (size > word_size || (size & (size - 1)) != 0 || size == 0)
    return std::unexpected(misfit(Problem::el2_no_number, name, text, size));
  const auto width = static_cast<unsigned>(size) * bits_per_byte;
  const bool fits = (*number & ~low_mask(width)) == 0 ||
                    static_cast<std::uint64_t>(sign_extend(*number, width)) == *number;
  if (!fits) return std::unexpected(misfit(Problem::el2_value_too_large, name, text, size));
  __builtin_memcpy(where.data(), &*number, size);
  return {};
}

Loaded<void> set_variable(Module& module, std::string_view operand) {
  std::string_view value = operand;
  const std::string_view name = fw::take_until(value, '=');
  const auto where = variable(module, name);
  if (!where) return std::unexpected(where.error());
  if (value.starts_with(words::bytes_prefix))
    return set_bytes(*where, name, image::tail(value, words::bytes_prefix.size()));
  return set_number(*where, name, value);
}

}  // namespace

El2OnlyLines::Line El2OnlyLines::next() {
  while (!rest_.empty()) {
    std::string_view line = fw::take_until(rest_, '\n');
    line = fw::take_until(line, '#');
    if (fw::take_word(line) != words::verb) continue;
    if (!same_module_name(fw::take_word(line), module_)) continue;
    const std::string_view word = fw::take_word(line);
    return {.word = word, .operand = fw::take_word(line)};
  }
  return {};
}

bool is_el2_only(std::string_view script, std::string_view module) {
  return !script.empty() && !El2OnlyLines(script, module).next().word.empty();
}

Loaded<void> prepare_el2_only(std::string_view script, pkvm::Generation generation,
                              Module& module) {
  if (!module.hyp.present)
    return std::unexpected(problem(Problem::el2_no_half, Errno::einval, module.name()));
  bool has_init = false;
  El2OnlyLines lines(script, module.name());
  for (auto line = lines.next(); !line.word.empty(); line = lines.next()) {
    Loaded<void> done;
    if (line.word == words::init_word) {
      const auto init = find_function(module, line.operand);
      if (!init) return std::unexpected(init.error());
      done = store_init(generation, module, *init);
      has_init = true;
    } else if (line.word == words::hvc_word) {
      if (const auto handler = el2_handler(module, line.operand); !handler)
        done = std::unexpected(handler.error());
    } else if (line.word == words::set_word) {
      done = set_variable(module, line.operand);
    }
    if (!done) return done;
  }
  if (!has_init)
    return std::unexpected(problem(Problem::el2_no_init, Errno::einval, module.name()));
  return {};
}

Loaded<El2Handler> el2_handler(const Module& module, std::string_view operand) {
  std::string_view name = operand;
  const std::string_view symbol = fw::take_until(name, '=');
  const auto address = find_function(module, symbol);
  if (!address) return std::unexpected(address.error());
  return El2Handler{.address = *address,
                    .name = name.empty() ? image::without_hyp_prefix(symbol) : name};
}

}  // namespace pkvmemu::kmod
