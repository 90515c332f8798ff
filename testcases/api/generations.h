// SPDX-License-Identifier: GPL-2.0-only
// A test of the C++ interface on each generation.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "harness/emulator.h"
#include "pkvmemu/pkvmemu.h"

namespace pkvmemu::test {

class OnEveryGeneration : public testing::TestWithParam<Generation> {
 protected:
  static std::filesystem::path built(const std::string& name) {
    return module(std::string(name_of(GetParam())) + "/" + name);
  }
};

inline auto every_generation() {
  return testing::ValuesIn(generations);
}
inline std::string generation_name(const testing::TestParamInfo<Generation>& instance) {
  return std::string(identifier_of(instance.param));
}

}  // namespace pkvmemu::test
