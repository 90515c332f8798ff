// SPDX-License-Identifier: GPL-2.0-only
// The test guests that CMake assembled (testcases/unit/machine/guests), and QEMU as a second
// machine to run them on.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "machine/device_tree.h"
#include "support/file.h"

namespace pkvmemu::testing {

inline std::filesystem::path guest_path(std::string_view name) {
  return fmt::format("{}/guests/{}.bin", PKVMEMU_BUILD_DIR, name);
}

inline Bytes guest(std::string_view name) {
  auto image = read_file(guest_path(name));
  EXPECT_TRUE(image) << image.error().message;
  return image.value_or(Bytes{});
}

/// The console of `guest_path(name)` under QEMU's `virt` with our devicetree.
inline std::string run_under_qemu(std::string_view name) {
  const auto tree = machine::device_tree_for_qemu(pkvm::platform::default_ram_size, true);
  const std::filesystem::path tree_path =
      std::filesystem::path(::testing::TempDir()) / fmt::format("{}-{}.dtb", name, getpid());
  EXPECT_TRUE(tree && write_file(tree_path, *tree));
  const std::string command = fmt::format(
      "timeout 60 qemu-system-aarch64 -M virt,virtualization=on,gic-version=3 -cpu max -m 1024 "
      "-nodefaults -display none -serial stdio -dtb {} -kernel {} </dev/null",
      tree_path.string(), guest_path(name).string());
  std::FILE* pipe = ::popen(command.c_str(), "r");
  EXPECT_NE(pipe, nullptr);
  std::string output;
  std::array<char, 4096> chunk{};
  while (const std::size_t got = std::fread(chunk.data(), 1, chunk.size(), pipe))
    output.append(chunk.data(), got);
  EXPECT_EQ(::pclose(pipe), 0) << "does not run, is it installed? " << command;
  std::filesystem::remove(tree_path);
  return output;
}

inline std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace pkvmemu::testing
