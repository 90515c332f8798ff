// SPDX-License-Identifier: GPL-2.0-only
// The specification's tables as testcases/data/abi has them, row by row.
#pragma once

#include <cstdint>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace pkvm {

/// The lines of a file that are neither empty nor comments.
inline std::vector<std::string> abi_lines(std::string_view name) {
  std::ifstream file(std::string(PKVMEMU_TEST_DATA) + "/abi/" + std::string(name));
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);)
    if (!line.empty() && !line.starts_with('#')) lines.push_back(line);
  return lines;
}

/// number -> name, as the data file of `kmi` lists the calls.
inline std::map<unsigned, std::string> specified_calls(std::string_view kmi) {
  std::map<unsigned, std::string> calls;
  for (const std::string& line : abi_lines("hypercalls-" + std::string(kmi) + ".txt")) {
    std::istringstream fields(line);
    unsigned number = 0;
    std::string name;
    fields >> number >> name;
    calls[number] = name;
  }
  return calls;
}

struct SpecifiedOp {
  std::uint64_t offset = 0;
  std::string name;
  std::string type;  ///< "int (u64 pfn)"
};
struct SpecifiedOps {
  unsigned total = 0;
  std::map<unsigned, SpecifiedOp> slots;
};

inline SpecifiedOps specified_ops(std::string_view kmi) {
  SpecifiedOps ops;
  for (const std::string& line : abi_lines("ops-" + std::string(kmi) + ".txt")) {
    std::istringstream fields(line);
    if (line.starts_with("total")) {
      std::string key;
      fields >> key >> ops.total;
      continue;
    }
    unsigned slot = 0;
    SpecifiedOp op;
    fields >> slot >> std::hex >> op.offset >> op.name;
    op.type = line.substr(line.find('|') + 2);
    ops.slots[slot] = op;
  }
  return ops;
}

struct SpecifiedConstant {
  std::string section;
  std::string name;
  std::string kmi;      ///< "*" for all
  std::string value;    ///< a number as C writes it
  bool is_ours = true;  ///< false: the row says why the firmware has none
};

inline SpecifiedConstant specified_constant(const std::string& line) {
  SpecifiedConstant row;
  std::istringstream fields(line);
  fields >> row.section >> row.name >> row.kmi >> row.value;
  row.is_ours = !line.contains(" ! ");
  return row;
}

}  // namespace pkvm
