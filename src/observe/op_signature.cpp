// SPDX-License-Identifier: GPL-2.0-only
#include "observe/op_signature.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "pkvm/errno.h"

namespace pkvmemu::observe {
namespace {

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' '))
    text.remove_prefix(1);
  while (text.ends_with(' '))
    text.remove_suffix(1);
  return text;
}

/// "u64 pfn", "void *va" or "int (*cb)(u64 esr)": the declared name and what is left without it.
OpParameter split(std::string_view declaration) {
  const std::size_t function = declaration.find("(*");
  const bool is_function = function != std::string_view::npos;
  const std::size_t end = is_function ? declaration.find(')', function) : declaration.size();
  const auto in_name = [](char c) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  std::size_t begin = end;
  while (begin != 0 && in_name(declaration[begin - 1]))
    --begin;
  std::string type(trimmed(declaration.substr(0, begin)));
  type += declaration.substr(end);
  return {.type = std::move(type), .name = declaration.substr(begin, end - begin)};
}

/// enum kvm_pgtable_prot (pkvm-abi.md 1.1).
std::string prot_text(std::uint64_t value) {
  struct Bit {
    std::uint64_t mask;
    std::string_view name;
  };
  constexpr std::array bits = {
      Bit{0x4, "R"},   Bit{0x2, "W"},    Bit{0x1, "X"},    Bit{0x8, "DEVICE"},
      Bit{0x10, "NC"}, Bit{0x20, "PXN"}, Bit{0x40, "UXN"},
  };
  std::vector<std::string> parts;
  for (const Bit& bit : bits) {
    if ((value & bit.mask) == 0) continue;
    parts.emplace_back(bit.name);
    value &= ~bit.mask;
  }
  if (value != 0 || parts.empty()) parts.push_back(fmt::format("{:#x}", value));
  return fmt::format("{}", fmt::join(parts, "|"));
}

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '\n')
      result += "\\n";
    else if (c == '"' || c == '\\')
      result += {'\\', c};
    else
      result += c >= 0x20 && c < 0x7F ? c : '?';
  }
  return result + '"';
}

bool is_pointer(std::string_view type) {
  return type.ends_with('*') || type.contains('(');
}

std::string value_text(std::string_view type, std::uint64_t value, std::string_view text) {
  if (type == "const char *") return value == 0 ? "NULL" : quoted(text);
  if (is_pointer(type)) return value == 0 ? "NULL" : fmt::format("{:#x}", value);
  if (type == "bool") return (value & 0xFF) != 0 ? "true" : "false";
  if (type == "char") {
    const std::array character{static_cast<char>(value & 0xFF)};
    return quoted({character.data(), character.size()});
  }
  if (type == "int") return fmt::format("{}", static_cast<std::int32_t>(value));
  if (type == "u8") return fmt::format("{}", value & 0xFF);
  if (type == "enum kvm_pgtable_prot") return prot_text(value);
  return fmt::format("{:#x}", value);
}

}  // namespace

std::vector<OpParameter> parameters_of(std::string_view parameters) {
  std::vector<OpParameter> result;
  if (parameters.size() <= 2) return result;
  const std::string_view inside = parameters.substr(1, parameters.size() - 2);
  std::size_t begin = 0;
  int depth = 0;
  for (std::size_t i = 0; i <= inside.size(); ++i) {
    const char c = i == inside.size() ? ',' : inside[i];
    depth += c == '(' ? 1 : 0;
    depth -= c == ')' ? 1 : 0;
    if (c != ',' || depth != 0) continue;
    result.push_back(split(trimmed(inside.substr(begin, i - begin))));
    begin = i + 1;
  }
  return result;
}

std::vector<std::string> argument_texts(std::size_t row, std::span<const std::uint64_t> x,
                                        std::string_view text) {
  std::vector<std::string> result;
  for (const auto& [type, name] : parameters_of(op_signatures.at(row).parameters)) {
    const std::size_t index = result.size();
    if (index == x.size()) break;
    result.push_back(fmt::format("{}={}", name, value_text(type, x[index], text)));
  }
  return result;
}

std::string result_text(std::size_t row, std::uint64_t x0) {
  const std::string_view type = op_signatures.at(row).returns;
  if (type == "void") return {};
  if (type != "int") return value_text(type, x0, {});
  const auto value = static_cast<std::int32_t>(x0);
  const std::string_view error = value < 0 ? pkvm::errno_name(value) : std::string_view{};
  return error.empty() ? fmt::format("{}", value) : fmt::format("{} ({})", value, error);
}

}  // namespace pkvmemu::observe
