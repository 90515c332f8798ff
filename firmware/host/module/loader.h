// SPDX-License-Identifier: GPL-2.0-only
// The kernel's module subsystem: modprobe over an initramfs, the list of protected modules, the two
// functions that modules call to get their EL2 half loaded, and the record of what is loaded.
// pkvm-abi.md 2.6, 3.1 to 3.6, 4.2 and 6.2.
//
// How a kernel uses it: make one with its services; give __pkvm_load_el2_module and
// __pkvm_register_el2_call, as exported C functions, bodies that call load_el2_module and
// register_el2_call; then load_protected_modules(list).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "host/module/modprobe_config.h"
#include "host/module/module.h"
#include "host/module/modules_dep.h"
#include "host/module/services.h"
#include "image/cpio.h"
#include "pkvm/generation.h"
#include "pkvm/hypercall.h"
#include "pkvm/quirk.h"
#include "pkvm/trace.h"

namespace pkvmemu::kmod {

struct LoaderConfig {
  pkvm::Generation generation = pkvm::Generation::android15_6_6;
  pkvm::Defects defects = pkvm::Defects::avoided;
  /// Directory under lib/modules, as `uname -r` gives it.
  std::string_view release;
  /// Ours, for the message when a module's differs: "6.6.77 SMP preempt mod_unload aarch64".
  std::string_view vermagic;
  /// The unpacked newc archive; must stay in memory.
  image::ByteView initramfs;
  /// The kernel's: parameters of modules and module_blacklist= stand there.
  std::string_view command_line = {};
  /// Lines that say of which modules only the EL2 half is wanted (el2_only.h); usually none.
  std::string_view el2_only_script = {};
};

enum class LoadKind : std::uint8_t {
  protected_list,  ///< kvm-arm.protected_modules, and what those depend on
  late,            ///< asked for after boot
};

/// A dynamic hypercall that a module registered through the kernel.
struct Handler {
  unsigned number = 0;  ///< 128 and up
  HypVa address;
  const Module* module = nullptr;  ///< whose image holds the address, where one does
  std::string_view symbol;         ///< EL2 symbol without prefix, where the address has one
};

struct HandlerLookup {
  const Handler* handler = nullptr;  ///< null: no module registered such a handler
  bool ambiguous = false;            ///< two modules did; name the module
};

class ModuleLoader {
 public:
  /// Exit status 1 of a helper process, as the kernel sees it (6.2).
  static constexpr int modprobe_failed = 256;
  /// For a module's arguments; a kernel's command line is 2048 at most.
  static constexpr std::size_t arguments_room = 4096;

  ModuleLoader(KernelServices& services, const LoaderConfig& config)
      : services_(services),
        config_(config),
        modprobe_config_(config.initramfs, config.release, config.command_line),
        directories_{config.release, {}} {}
  // search_ points into the object.
  ModuleLoader(const ModuleLoader&) = delete;
  ModuleLoader& operator=(const ModuleLoader&) = delete;

  /// The list of 6.2, in order, until the first that fails: 0 or the failed one's status.
  int load_protected_modules(std::string_view list);
  /// `modprobe -q name`: dependencies first, nothing when it is loaded already. 0 or 256.
  int modprobe(std::string_view name, LoadKind kind);
  /// `insmod path`: 0 or a negated errno (EEXIST when it is loaded already).
  int insmod(std::string_view path, LoadKind kind, std::string_view arguments = {});

  /// __pkvm_load_el2_module(struct module *, unsigned long *token); token_out may be null.
  int load_el2_module(KernVa this_module, KernVa token_out);
  /// __pkvm_register_el2_call(hyp VA): the number, or a negated errno. `name` is the handler's
  /// where it is not its symbol's.
  int register_el2_call(HypVa address, std::string_view name = {});

  /// A static key, wherever it lies, was switched: code of the modules that depends on it changes.
  void static_key_switched(KernVa key, bool enabled);

  [[nodiscard]] std::span<const Module> modules() const { return modules_; }
  [[nodiscard]] const Module* find_module(std::string_view name) const;
  [[nodiscard]] const Module* module_at(HypVa address) const;
  /// The same, and one whose EL2 half is being loaded: its init may be what runs there.
  [[nodiscard]] const Module* module_with(HypVa code) const;
  [[nodiscard]] const Module* module_at(KernVa address) const;

  [[nodiscard]] std::span<const Handler> handlers() const {
    return std::span(handlers_).first(handler_count_);
  }
  /// "hello/hyp_add" or "hyp_add". Handlers of a module whose init failed are found too: the caller
  /// looks at handler->module->state.
  [[nodiscard]] HandlerLookup find_handler(std::string_view name) const;

 private:
  struct Request {
    std::string_view name;  ///< as the user wrote it
    std::string_view path;
    LoadKind kind = LoadKind::late;
    std::string_view arguments;
  };
  /// The modprobe runs that wait for soft dependencies, the innermost first.
  struct Waiting {
    std::string_view name;
    const Waiting* outer = nullptr;
  };

  [[nodiscard]] int run_helper(std::string_view name);
  [[nodiscard]] bool lists(std::span<const std::string_view> directories,
                           std::string_view name) const;
  [[nodiscard]] int modprobe(std::string_view name, LoadKind kind, const Waiting* outer);
  [[nodiscard]] Loaded<void> load_dependencies(const ModulesDep& dep, const ModulesDep::Line& line,
                                               const Request& request);
  [[nodiscard]] bool load_with_options(Request request);
  void load_soft_dependencies(ModprobeConfig::When when, LoadKind kind, const Waiting& waiting);
  [[nodiscard]] int load_file(const Request& request);
  [[nodiscard]] Loaded<image::KoFile> read_file(const Request& request);
  void warn_of_stand_in(const Request& request, const image::KoFile& file);
  [[nodiscard]] Loaded<Module*> prepare(const Request& request);
  [[nodiscard]] int initialise(Module& module, const Request& request);
  [[nodiscard]] int run_init(Module& module);
  [[nodiscard]] int load_el2_only(Module& module);
  [[nodiscard]] Module* new_record();
  [[nodiscard]] bool is_live(std::string_view name) const;
  void patch_code(Module& module);
  void finish_memory(const Module& module);
  void release_init_memory(Module& module);
  void drop(Module& module);

  void report_begin(const Request& request);
  void report_end(const Request& request, const LoadError& error, int init_result);
  void report_skipped(std::string_view rest_of_list);

  KernelServices& services_;
  LoaderConfig config_;
  ModprobeConfig modprobe_config_;
  /// Below lib/modules; where modprobe looks now, in this order.
  std::array<std::string_view, 2> directories_;
  std::span<const std::string_view> search_{directories_};
  std::array<Module, max_modules> modules_{};
  std::array<Handler, pkvm::max_dynamic_calls> handlers_{};
  std::size_t handler_count_ = 0;
  /// Never given twice: EL2 may still know those of a module that failed.
  std::uint16_t next_event_id_ = pkvm::trace::first_module_event;
  std::array<char, arguments_room> arguments_{};  ///< of the module being loaded
};

}  // namespace pkvmemu::kmod
