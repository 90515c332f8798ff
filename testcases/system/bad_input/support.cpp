// SPDX-License-Identifier: GPL-2.0-only
#include "support.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

namespace pkvmemu::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string binary = PKVMEMU_BUILD_DIR "/bin/pkvm-emu";

// The sanitizers' shadow memory counts too.
#if __has_feature(address_sanitizer)
constexpr long sanitizer_share = 3;
#else
constexpr long sanitizer_share = 1;
#endif

}  // namespace

ProcessResult pkvm_emu(Arguments arguments) {
  arguments.insert(arguments.begin(), binary);
  return run_process(arguments);
}

ProcessResult pkvm_emu_without_powers(Arguments arguments) {
  arguments.insert(arguments.begin(),
                   {"setpriv", "--bounding-set=-dac_override,-dac_read_search", binary});
  return run_process(arguments);
}

long plenty_kib() {
  constexpr long mebibyte = 1024;
  return 200 * mebibyte * sanitizer_share;
}

void expect_refusal(const ProcessResult& result, const Refusal& refusal) {
  EXPECT_EQ(result.exit_code, refusal.exit_code) << result.err << result.out;
  const auto lines = split_lines(result.err);
  EXPECT_THAT(lines_with(lines, "pkvm-emu: "), testing::SizeIs(1)) << result.err;
  EXPECT_LE(lines.size(), 2U) << "a sentence, and where to find help: " << result.err;
  for (const std::string& part : refusal.parts)
    EXPECT_THAT(result.err, HasSubstr(part));
  EXPECT_THAT(result.out, IsEmpty());
  EXPECT_LT(result.peak_kib, plenty_kib());
}

Bytes bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

Bytes content_of(const fs::path& path) {
  auto bytes = read_file(path);
  if (!bytes) throw std::runtime_error(bytes.error().message);
  return std::move(*bytes);
}

std::string text_of(const fs::path& path) {
  const Bytes bytes = content_of(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void put(const fs::path& path, const Bytes& bytes) {
  fs::create_directories(path.parent_path());
  const auto written = write_file(path, bytes);
  if (!written) throw std::runtime_error(written.error().message);
}

void put(const fs::path& path, std::string_view text) {
  put(path, bytes_of(text));
}

void put_sparse(const fs::path& path, std::uintmax_t size) {
  put(path, Bytes{});
  fs::resize_file(path, size);
}

std::vector<std::string> names_in(const fs::path& directory) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(directory))
    names.push_back(entry.path().lexically_relative(directory).string());
  std::ranges::sort(names);
  return names;
}

}  // namespace pkvmemu::test
