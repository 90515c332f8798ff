// SPDX-License-Identifier: GPL-2.0-only
// A machine with the firmware and a module under test, driven step by step from a test:
//
//   auto emulator = pkvmemu::Emulator::boot({.modules = {"hello.ko"}});
//   EXPECT_THAT(emulator.call("hello/hello_hvc", {1, 2}), Answers(0, 3));
//   EXPECT_THAT(emulator.finish(), ProtectedVmsAvailable());
//
// The same requests, the same answers, to the last instruction. An emulator belongs to one thread
// at a time; any number of them may live. Errors: error.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pkvmemu/error.h"
#include "pkvmemu/results.h"
#include "pkvmemu/types.h"

namespace pkvmemu::inline v1 {

/// A module of which only the EL2 half is loaded (docs/modules.md).
struct El2Half {
  std::filesystem::path module;
  std::string init;                      ///< its EL2 init function
  std::vector<std::string> handlers{};   ///< "SYMBOL" or "SYMBOL=NAME", registered in this order
  std::vector<std::string> variables{};  ///< "SYMBOL=NUMBER" or "SYMBOL=hex:BYTES"
};

/// What to boot. Every member has a default.
struct Boot {
  /// Module files that the kernel loads before deprivilege, in this order.
  std::vector<std::filesystem::path> modules{};
  /// Module files for Emulator::load(), also as dependencies of those above.
  std::vector<std::filesystem::path> more_modules{};
  /// The kernel's; otherwise the modules', which have to agree, and android15-6.6 without any.
  std::optional<Generation> generation{};
  /// Faults from the start on, as Emulator::fail() takes them.
  std::vector<std::string> faults{};
  /// What goes behind the kernel's command line, parameters of modules among them: "hello.loud=1".
  std::string command_line{};
  /// Where boot() returns. The machine is there, or has ended before.
  Stage stop_at = Stage::after_deprivilege;
  /// At the end the kernel starts a protected VM, to see whether one can be had.
  bool probe_protected_vms = true;
  /// The built-in IOMMU driver; without any driver a kernel takes protected VMs away.
  bool iommu_driver = true;
  /// Known defects of released kernels, instead of what their documentation says
  /// (docs/fidelity.md).
  bool as_shipped = false;
  /// A symbol that nobody exports is bound to a stub that answers 0, instead of refusing the load.
  bool stub_unresolved = false;
  /// Loaded after `modules`.
  std::vector<El2Half> el2_halves{};
  /// What lies in RAM before the start: "ADDR=FILE".
  std::vector<std::string> memory{};
  /// Devices at physical addresses, "BASE:SIZE=ram|zero|FILE.yaml" (docs/devices.md).
  std::vector<std::string> mmio{};
  /// A YAML file with answers of the secure world.
  std::optional<std::filesystem::path> el3{};
  /// Another build of the firmware; otherwise the one inside this library.
  std::optional<std::filesystem::path> firmware{};
  /// Instructions until a run is given up.
  std::uint64_t budget = 2'000'000'000;
};

/// A moment of one emulator, to go back to any number of times. A handle: copies are the same
/// moment, and its memory is freed with the last of them. It may outlive the emulator.
class Snapshot {
 public:
  Snapshot() = default;

 private:
  friend class Emulator;
  struct Moment;
  explicit Snapshot(std::shared_ptr<const Moment> moment) : moment_(std::move(moment)) {}
  std::shared_ptr<const Moment> moment_;
};

class Emulator {
 public:
  using Arguments = std::vector<std::uint64_t>;  ///< x1 to x7, at most seven

  /// Throws FileError and UsageError. A guest that panics on the way is no error: stage() is
  /// Stage::ended then, and finish() tells.
  static Emulator boot(const Boot& boot);

  Emulator(Emulator&& other) noexcept;
  Emulator& operator=(Emulator&& other) noexcept;
  Emulator(const Emulator&) = delete;
  Emulator& operator=(const Emulator&) = delete;
  ~Emulator();

  [[nodiscard]] Stage stage() const;
  [[nodiscard]] Generation generation() const;
  /// Lets the boot go on to this stage; one that is past is no error, and nothing happens.
  void advance_to(Stage stage);
  /// Lets the run go on to its end: pending work, the probe for protected VMs, power-off. Of a run
  /// that has ended, how it did.
  Verdict finish();

  // Requests to the kernel, one at a time, at the stages that take them; UsageError at others. The
  // run may end in the middle of one.

  /// A module's handler: "hello_hvc", or "hello/hello_hvc" where two modules have one of this name.
  CallResult call(std::string_view handler, const Arguments& arguments = {});
  /// A dynamic hypercall by its number, 128 and up.
  CallResult call(unsigned number, const Arguments& arguments = {});
  /// Any HVC or SMC, with this x0.
  CallResult hvc(std::uint64_t x0, const Arguments& arguments = {});
  CallResult smc(std::uint64_t x0, const Arguments& arguments = {});
  /// insmod: one of the files given to boot(), by its path or the module's name. Before deprivilege
  /// it loads; after, a module with an EL2 half has to be refused.
  LoadResult load(const std::filesystem::path& module, std::string_view parameters = {});
  /// The kernel reads 8 bytes (4 outside RAM), writes them, or calls code that is there.
  TouchResult read(PhysicalAddress address);
  TouchResult write(PhysicalAddress address, std::uint64_t value);
  TouchResult execute(PhysicalAddress address);
  /// A guest to its end, after deprivilege: a program that the kernel carries (docs/cli.md, --pvm).
  GuestResult run_protected_vm(std::string_view program = "hello");
  GuestResult run_vm(std::string_view program = "hello");

  /// "SITE[:nth=N][:times=N|all][:return=ERROR]": from now on the N-th time that the step is
  /// reached it fails (docs/faults.md). UsageError for a site that there is not.
  void fail(std::string_view fault);
  /// All steps that can fail.
  [[nodiscard]] std::vector<FaultSite> sites() const;
  /// How often one was reached since the start.
  [[nodiscard]] std::uint64_t reached(std::string_view site) const;

  /// The whole machine as it is now, faults included; also when it has ended.
  Snapshot snapshot();
  /// Back to then. UsageError for another emulator's.
  void restore(const Snapshot& snapshot);

  /// A module as it is now. UsageError for one that this run has nothing to do with.
  [[nodiscard]] LoadResult module(std::string_view name) const;
  /// All that was printed so far. Valid until the machine goes on.
  [[nodiscard]] std::string_view console() const;
  /// Executed so far, at all exception levels.
  [[nodiscard]] std::uint64_t instructions() const;
  /// RAM as it is, whoever owns it. UsageError outside of RAM.
  [[nodiscard]] std::vector<std::byte> memory(PhysicalAddress address, std::size_t size) const;

 private:
  class Session;
  explicit Emulator(std::shared_ptr<Session> session);

  friend class Snapshot;
  std::shared_ptr<Session> session_;
};

/// Boots, and lets it run to its end.
Verdict run(const Boot& boot);

}  // namespace pkvmemu::inline v1
