// SPDX-License-Identifier: GPL-2.0-only
#include "support/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

namespace pkvmemu {
namespace {

namespace fs = std::filesystem;

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

std::unexpected<Error> too_large(const fs::path& path, std::uintmax_t limit) {
  return fail("{}: larger than {} MiB, which no file for this tool is", path.string(),
              limit >> 20U);
}

std::unexpected<Error> cannot(std::string_view what, const fs::path& path) {
  return fail("{}: cannot {}: {}", path.string(), what, std::strerror(errno));
}

bool is_device(const fs::path& path) {
  std::error_code status;
  return fs::is_character_file(path, status) || fs::is_block_file(path, status);
}

bool is_allowed(const fs::path& path, int mode) {
  return faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0;
}

Result<void> put(File file, const fs::path& path, std::span<const std::byte> data) {
  const bool written = std::fwrite(data.data(), 1, data.size(), file.get()) == data.size();
  // The close can fail too (a full disk): it counts.
  if (std::fclose(file.release()) != 0 || !written) return cannot("write", path);
  return {};
}

/// Into the file itself: what is no regular file, or lies where no second one can be put.
Result<void> write_in_place(const fs::path& path, std::span<const std::byte> data) {
  File file(std::fopen(path.c_str(), "wb"));
  if (!file) return cannot("create", path);
  return put(std::move(file), path, data);
}

/// What a path leads to: a link stays one.
fs::path target_of(const fs::path& path) {
  std::error_code status;
  if (!fs::is_symlink(path, status)) return path;
  fs::path target = fs::weakly_canonical(path, status);
  return status ? path : target;
}

}  // namespace

Result<void> check_readable(const fs::path& path, std::uintmax_t limit) {
  std::error_code status;
  if (fs::is_directory(path, status))
    return fail("{}: is a directory, expected a file", path.string());
  // One that never ends, or waits for a person.
  if (is_device(path)) return fail("{}: is a device, expected a file", path.string());
  // A sparse file costs nothing to make and its size in memory to read: asked first.
  const std::uintmax_t size = fs::file_size(path, status);
  if (!status && size > limit) return too_large(path, limit);
  if (!is_allowed(path, R_OK)) return cannot("open", path);
  return {};
}

Result<Bytes> read_file(const fs::path& path) {
  if (auto good = check_readable(path); !good) return std::unexpected(good.error());
  const File file(std::fopen(path.c_str(), "rb"));
  if (!file) return cannot("open", path);

  Bytes data;
  std::error_code status;
  const std::uintmax_t size = fs::file_size(path, status);
  constexpr std::size_t piece = std::size_t{1} << 18;
  // One byte more than there should be shows the end at once.
  std::size_t chunk = status ? piece : static_cast<std::size_t>(size) + 1;
  for (;;) {
    const std::size_t old_size = data.size();
    data.resize(old_size + chunk);
    const std::size_t got = std::fread(data.data() + old_size, 1, chunk, file.get());
    data.resize(old_size + got);
    if (data.size() > largest_file) return too_large(path, largest_file);
    if (got < chunk) break;
    chunk = piece;
  }
  if (std::ferror(file.get()) != 0) return cannot("read", path);
  return data;
}

Result<void> check_writable(const fs::path& path) {
  std::error_code status;
  if (fs::is_directory(path, status))
    return fail("{}: is a directory, expected a file", path.string());
  const fs::path target = target_of(path);
  const bool exists = fs::exists(target, status);
  // "." makes a parent that is no directory the error that it is.
  const fs::path parent = target.has_parent_path() ? target.parent_path() / "." : fs::path(".");
  if (exists ? !is_allowed(target, W_OK) : !is_allowed(parent, W_OK | X_OK))
    return cannot("create", path);
  return {};
}

Result<void> write_file(const fs::path& path, std::span<const std::byte> data) {
  std::error_code status;
  const fs::path target = target_of(path);
  const fs::file_status old = fs::status(target, status);
  if (fs::exists(old) && !fs::is_regular_file(old)) return write_in_place(path, data);

  fs::path part = target;
  part += ".part" + std::to_string(getpid());
  File file(std::fopen(part.c_str(), "wbx"));
  if (!file) return write_in_place(path, data);
  auto done = put(std::move(file), path, data);
  if (done && fs::exists(old)) fs::permissions(part, old.permissions(), status);
  if (done) fs::rename(part, target, status);
  if (done && status) done = fail("{}: cannot create: {}", path.string(), status.message());
  if (!done) fs::remove(part, status);
  return done;
}

Result<void> write_file(const fs::path& path, std::string_view text) {
  return write_file(path, std::as_bytes(std::span(text.data(), text.size())));
}

}  // namespace pkvmemu
