// SPDX-License-Identifier: GPL-2.0-only
// Linux error numbers that cross the module ABI (pkvm-abi.md 0.2). Returned negated.
#pragma once

#include <array>
#include <string_view>

namespace pkvm {

enum class Errno : int {
  none = 0,
  eperm = 1,
  enoent = 2,
  eio = 5,
  enxio = 6,
  e2big = 7,
  enoexec = 8,
  eagain = 11,
  enomem = 12,
  eacces = 13,
  efault = 14,
  ebusy = 16,
  eexist = 17,
  enodev = 19,
  einval = 22,
  enospc = 28,
  erange = 34,
  enosys = 38,
  eloop = 40,
  eopnotsupp = 95,
  eprobe_defer = 517,
};

struct ErrnoRow {
  Errno number;
  std::string_view name;
};

inline constexpr std::array errno_rows = {
    ErrnoRow{Errno::eperm, "EPERM"},     ErrnoRow{Errno::enoent, "ENOENT"},
    ErrnoRow{Errno::eio, "EIO"},         ErrnoRow{Errno::e2big, "E2BIG"},
    ErrnoRow{Errno::enoexec, "ENOEXEC"}, ErrnoRow{Errno::eagain, "EAGAIN"},
    ErrnoRow{Errno::enomem, "ENOMEM"},   ErrnoRow{Errno::eacces, "EACCES"},
    ErrnoRow{Errno::efault, "EFAULT"},   ErrnoRow{Errno::ebusy, "EBUSY"},
    ErrnoRow{Errno::eexist, "EEXIST"},   ErrnoRow{Errno::enodev, "ENODEV"},
    ErrnoRow{Errno::einval, "EINVAL"},   ErrnoRow{Errno::enospc, "ENOSPC"},
    ErrnoRow{Errno::erange, "ERANGE"},   ErrnoRow{Errno::enosys, "ENOSYS"},
    ErrnoRow{Errno::eloop, "ELOOP"},     ErrnoRow{Errno::eopnotsupp, "EOPNOTSUPP"},
    ErrnoRow{Errno::enxio, "ENXIO"},     ErrnoRow{Errno::eprobe_defer, "EPROBE_DEFER"},
};

/// The value a function returns: `negated(Errno::enomem)` is -12.
constexpr int negated(Errno number) {
  return -static_cast<int>(number);
}

/// "ENOMEM" for -12 and for 12; empty when the number is none of ours.
constexpr std::string_view errno_name(long number) {
  const long positive = number < 0 ? -number : number;
  for (const ErrnoRow& row : errno_rows)
    if (static_cast<long>(row.number) == positive) return row.name;
  return {};
}

}  // namespace pkvm
