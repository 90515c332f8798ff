// SPDX-License-Identifier: GPL-2.0-only
#include "build/ops_header.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "pkvm/ops.h"

namespace pkvmemu::build {
namespace {

/// How a call of an op treats registers.
enum class Convention : std::uint8_t { usual, preserve_most };

struct Prototype {
  std::string_view name;
  std::string_view returns;     ///< "void *"
  std::string_view parameters;  ///< "(u64 nr_pages)"
  Convention convention;
};

/// In the order of pkvm::op_rows.
// NOLINTBEGIN(cppcoreguidelines-macro-usage)
#define PKVM_OP(name, variant, returns, parameters, g6_1, g6_6, g6_12) \
  Prototype{#name, #returns, #parameters, Convention::usual},
#define PKVM_PRESERVE_OP(name, variant, returns, parameters, g6_1, g6_6, g6_12) \
  Prototype{#name, #returns, #parameters, Convention::preserve_most},
constexpr auto prototypes = std::to_array<Prototype>({
#include "pkvm/ops.def"
});
// NOLINTEND(cppcoreguidelines-macro-usage)
static_assert(prototypes.size() == pkvm::op_rows.size());

constexpr std::size_t columns = 100;
constexpr std::size_t tab = 8;

/// "phys_addr_t (*hyp_pa)(void *x);"
std::string declaration(const Prototype& op) {
  std::string text(op.returns);
  if (!text.ends_with('*')) text += ' ';
  text += fmt::format("(*{}){}", op.name, op.parameters);
  // C spells an empty list (void).
  for (std::size_t at = text.find("()"); at != std::string::npos; at = text.find("()", at + 1))
    text.insert(at + 1, "void");
  if (op.convention == Convention::preserve_most) text += " __pkvm_slowpath";
  return text + ";";
}

/// A member, its further lines indented by one tab more.
std::string member(std::string_view text) {
  std::string result = "\t";
  std::size_t indent = tab;
  while (indent + text.size() > columns) {
    const std::size_t comma = text.rfind(", ", columns - indent - 1);
    if (comma == std::string_view::npos) break;
    result += text.substr(0, comma + 1);
    result += "\n\t\t";
    text.remove_prefix(comma + 2);
    indent = 2 * tab;
  }
  return result + std::string(text) + "\n";
}

/// The structures that prototypes name.
void find_structures(std::string_view parameters, std::set<std::string_view>& names) {
  constexpr std::string_view key = "struct ";
  for (std::size_t at = parameters.find(key); at != std::string_view::npos;
       at = parameters.find(key, at)) {
    at += key.size();
    names.insert(parameters.substr(at, parameters.find(' ', at) - at));
  }
}

/// The parts of a header that its slots decide.
class Table {
 public:
  explicit Table(pkvm::Generation generation) : info_(pkvm::info(generation)) {
    for (std::size_t slot = 0; slot < info_.ops_slots; ++slot)
      add(slot);
    end_reserves();
  }

  [[nodiscard]] std::string text() const {
    std::string structures;
    for (const std::string_view name : structures_)
      structures += fmt::format("struct {};\n", name);
    return fmt::format(frame, info_.kmi, info_.ops_slots, structures, slow_path_, members_,
                       slow_path_.empty() ? "" : "#undef __pkvm_slowpath\n\n", assertions_);
  }

 private:
  static constexpr std::string_view frame =
      "/* SPDX-License-Identifier: GPL-2.0-only */\n"
      "/*\n"
      " * {0}: the operations that pKVM gives to EL2 code, {1} slots of 8 bytes (pkvm-abi.md 1,\n"
      " * semantics in 1.6), with LIST_HARDENED as GKI has it. Made from include/pkvm/ops.def. "
      "The\n"
      " * prototypes decide the kCFI hashes of the calls, so their types are spelled as the "
      "kernel\n"
      " * spells them.\n"
      " */\n"
      "#pragma once\n\n"
      "#include <asm/kvm_pgtable.h>\n"
      "#include <asm/pkvm_ops_types.h>\n"
      "#include <generated/kmi.h>\n"
      "#include <linux/build_bug.h>\n"
      "#include <linux/types.h>\n\n"
      "{2}\n"
      "{3}"
      "struct pkvm_module_ops {{\n{4}}};\n\n"
      "{5}"
      "#define __PKVM_SLOT(number, name) \\\n"
      "\tstatic_assert(offsetof(struct pkvm_module_ops, name) == 8 * (number))\n"
      "{6}"
      "#undef __PKVM_SLOT\n"
      "static_assert(sizeof(struct pkvm_module_ops) == 8 * KMI_OPS_SLOTS);\n";

  void add(std::size_t slot) {
    const std::optional<pkvm::OpId> op = pkvm::op_at(info_.id, slot);
    if (!op) {
      if (reserves_++ == 0) first_reserve_ = slot;
      return;
    }
    const Prototype& prototype = prototypes.at(static_cast<std::size_t>(*op));
    find_structures(prototype.parameters, structures_);
    if (prototype.convention == Convention::preserve_most)
      slow_path_ =
          "/* The list checks are slow paths: they leave all registers but x9 to x17 alone. */\n"
          "#define __pkvm_slowpath __attribute__((__preserve_most__))\n\n";
    if (const unsigned since = pkvm::first_sublevel(*op, info_.id); since > info_.sublevel)
      members_ += fmt::format("\t/* From {}{} on; NULL before. */\n", info_.kernel_prefix, since);
    members_ += member(declaration(prototype));
    assertions_ += fmt::format("__PKVM_SLOT({}, {});\n", slot, prototype.name);
  }

  /// All reserves that are left follow the last op.
  void end_reserves() {
    if (reserves_ == 0) return;
    members_ += fmt::format("\tu64 __kabi_reserved[{}];\n", reserves_);
    assertions_ += fmt::format("__PKVM_SLOT({}, __kabi_reserved);\n", first_reserve_);
    reserves_ = 0;
  }

  const pkvm::GenerationInfo& info_;
  std::set<std::string_view> structures_;
  std::string_view slow_path_;
  std::string members_;
  std::string assertions_;
  std::size_t first_reserve_ = 0;
  std::size_t reserves_ = 0;
};

}  // namespace

std::string ops_header(pkvm::Generation generation) {
  return Table(generation).text();
}

}  // namespace pkvmemu::build
