// SPDX-License-Identifier: GPL-2.0-only
// What pkvm-emu's C++ interface throws. Whatever guests do is a result, never an exception: a load
// that fails, a call that panics the hypervisor. Exceptions say that the test itself is wrong, or
// that pkvm-emu is; GoogleTest fails the test with the message.
#pragma once

#include <stdexcept>

namespace pkvmemu::inline v1 {

class Exception : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  ~Exception() override;
};

/// The test asks for what there is not: an unknown fault site, a call after the end, a snapshot of
/// another emulator.
class UsageError : public Exception {
 public:
  using Exception::Exception;
  ~UsageError() override;
};

/// A file is missing, or not what it should be.
class FileError : public Exception {
 public:
  using Exception::Exception;
  ~FileError() override;
};

/// A bug of pkvm-emu.
class InternalError : public Exception {
 public:
  using Exception::Exception;
  ~InternalError() override;
};

}  // namespace pkvmemu::inline v1
