// SPDX-License-Identifier: GPL-2.0-only
// A declared stub in words, for reports. Not for firmware.
#pragma once

#include <cstddef>
#include <string>

#include "pkvm/stubs.h"

namespace pkvm {

/// "returns ERR_PTR(-ENODEV)", "returns nothing".
inline std::string stub_answer(const DeclaredStub& row) {
  const std::string error = "-" + std::string(errno_name(static_cast<long>(row.error)));
  switch (row.returns) {
    case StubReturns::nothing:
      return "returns nothing";
    case StubReturns::number:
      return row.error == Errno::none ? "returns 0" : "returns " + error;
    case StubReturns::pointer:
      return row.error == Errno::none ? "returns NULL" : "returns ERR_PTR(" + error + ")";
    case StubReturns::argument:
      return "returns its first argument";
    case StubReturns::object:
      return "returns an empty object";
  }
  return {};
}

/// "returns ERR_PTR(-ENODEV) because there is no debugfs"; `row` is a number in stubs.def.
inline std::string stub_words(std::size_t row) {
  return stub_answer(declared_stubs[row]) + " because " + std::string(stub_reasons[row]);
}

}  // namespace pkvm
