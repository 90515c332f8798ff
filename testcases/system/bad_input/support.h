// SPDX-License-Identifier: GPL-2.0-only
// Shared by the tables of bad input: the command under test, and what every refusal has to be.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "harness/emulator.h"
#include "support/file.h"

namespace pkvmemu::test {

/// `pkvm-emu ARGS...`; killed, and the test failed, when it does not end by itself.
ProcessResult pkvm_emu(Arguments arguments);
/// The same, for root too, without the power to read and write whatever the permissions say.
ProcessResult pkvm_emu_without_powers(Arguments arguments);

/// A refusal: this exit code, one sentence on stderr which has `parts` in it, nothing on stdout,
/// and little memory.
struct Refusal {
  int exit_code = 3;
  std::vector<std::string> parts;
};
void expect_refusal(const ProcessResult& result, const Refusal& refusal);

/// Memory that no refusal needs, whatever the size of its input.
long plenty_kib();

Bytes bytes_of(std::string_view text);
std::string text_of(const std::filesystem::path& path);
Bytes content_of(const std::filesystem::path& path);
void put(const std::filesystem::path& path, const Bytes& bytes);
void put(const std::filesystem::path& path, std::string_view text);
/// A file of this size that takes up no space.
void put_sparse(const std::filesystem::path& path, std::uintmax_t size);
inline constexpr std::uintmax_t tebibyte = std::uintmax_t{1} << 40U;

/// Names below a directory, sorted: what a command left behind.
std::vector<std::string> names_in(const std::filesystem::path& directory);

}  // namespace pkvmemu::test
