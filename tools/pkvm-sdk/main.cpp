// SPDX-License-Identifier: GPL-2.0-only
// pkvm-sdk KMI FILE: writes the generation's <asm/pkvm_module_ops.h>, as a part of our own build. A
// file that already says the same is left alone, so that nothing which includes it is made again.
#include <algorithm>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "build/ops_header.h"
#include "pkvm/generation.h"
#include "support/file.h"

namespace {

using namespace pkvmemu;

Result<void> write_header(std::string_view kmi, const std::string& path) {
  const auto generation = pkvm::generation_of_kmi(kmi);
  if (!generation) return fail("{}: no such generation", kmi);
  const std::string text = build::ops_header(*generation);
  const Result<Bytes> old = read_file(path);
  if (old && std::ranges::equal(*old, std::as_bytes(std::span(text)))) return {};
  return write_file(path, text);
}

int command(const std::vector<std::string>& arguments) {
  if (arguments.size() != 3) {
    std::fputs("usage: pkvm-sdk KMI FILE\n", stderr);
    return 2;
  }
  const Result<void> done = write_header(arguments[1], arguments[2]);
  if (done) return 0;
  std::fputs(("pkvm-sdk: " + done.error().message + "\n").c_str(), stderr);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return command({argv, argv + argc});
  } catch (...) {
    std::fputs("pkvm-sdk: out of memory, or a defect of this program\n", stderr);
    return 1;
  }
}
