// SPDX-License-Identifier: GPL-2.0-only
#include "support/file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <system_error>

namespace pkvmemu {
namespace {

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

std::unexpected<Error> too_large(const std::filesystem::path& path) {
  return fail("{}: larger than {} MiB, which no file for this tool is", path.string(),
              largest_file >> 20U);
}

}  // namespace

Result<Bytes> read_file(const std::filesystem::path& path) {
  std::error_code status;
  if (std::filesystem::is_directory(path, status))
    return fail("{}: is a directory, expected a file", path.string());
  // A sparse file costs nothing to make and its size in memory to read: asked first.
  const std::uintmax_t size = std::filesystem::file_size(path, status);
  if (!status && size > largest_file) return too_large(path);
  const File file(std::fopen(path.c_str(), "rb"));
  if (!file) return fail("{}: cannot open: {}", path.string(), std::strerror(errno));

  Bytes data;
  constexpr std::size_t chunk = std::size_t{1} << 18;
  for (;;) {
    const std::size_t old_size = data.size();
    data.resize(old_size + chunk);
    const std::size_t got = std::fread(data.data() + old_size, 1, chunk, file.get());
    data.resize(old_size + got);
    if (data.size() > largest_file) return too_large(path);
    if (got < chunk) break;
  }
  if (std::ferror(file.get()) != 0)
    return fail("{}: cannot read: {}", path.string(), std::strerror(errno));
  return data;
}

Result<void> write_file(const std::filesystem::path& path, std::span<const std::byte> data) {
  File file(std::fopen(path.c_str(), "wb"));
  if (!file) return fail("{}: cannot create: {}", path.string(), std::strerror(errno));
  const bool written = std::fwrite(data.data(), 1, data.size(), file.get()) == data.size();
  // The close can fail too (a full disk): it counts.
  if (std::fclose(file.release()) == 0 && written) return {};
  const int reason = errno;
  // Half a file is worse than none; devices stay.
  std::error_code status;
  if (std::filesystem::is_regular_file(path, status)) std::filesystem::remove(path, status);
  return fail("{}: cannot write: {}", path.string(), std::strerror(reason));
}

Result<void> write_file(const std::filesystem::path& path, std::string_view text) {
  return write_file(path, std::as_bytes(std::span(text.data(), text.size())));
}

}  // namespace pkvmemu
