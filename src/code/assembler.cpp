// SPDX-License-Identifier: GPL-2.0-only
#include "code/assembler.h"

// LLVM's headers do not pass our warnings; they are included as a system's.
#include <llvm/ADT/SmallVector.h>
#include <llvm/MC/MCAsmBackend.h>
#include <llvm/MC/MCAsmInfo.h>
#include <llvm/MC/MCCodeEmitter.h>
#include <llvm/MC/MCContext.h>
#include <llvm/MC/MCInstrInfo.h>
#include <llvm/MC/MCObjectFileInfo.h>
#include <llvm/MC/MCObjectWriter.h>
#include <llvm/MC/MCParser/MCAsmParser.h>
#include <llvm/MC/MCParser/MCTargetAsmParser.h>
#include <llvm/MC/MCRegisterInfo.h>
#include <llvm/MC/MCStreamer.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/MCTargetOptions.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/SourceMgr.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/TargetParser/Triple.h>

#include <algorithm>
#include <cassert>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace pkvmemu::code {
namespace {

constexpr const char* triple_name = "aarch64-linux-gnu";
// What modules may use is more than the C parts of a kernel do: system registers of extensions.
constexpr const char* features = "+v8.5a,+pauth,+lse,+mte,+sve";

const llvm::Target& target() {
  static const llvm::Target* const found = [] {
    LLVMInitializeAArch64TargetInfo();
    LLVMInitializeAArch64TargetMC();
    LLVMInitializeAArch64AsmParser();
    std::string problem;
    const llvm::Target* const aarch64 = llvm::TargetRegistry::lookupTarget(triple_name, problem);
    assert(aarch64 != nullptr);
    return aarch64;
  }();
  return *found;
}

/// What LLVM has to say, gathered.
struct Messages {
  const AssemblyText* source = nullptr;
  std::string text;

  static void take(const llvm::SMDiagnostic& diagnostic, void* self) {
    if (diagnostic.getKind() != llvm::SourceMgr::DK_Error) return;
    auto& messages = *static_cast<Messages*>(self);
    const int line = diagnostic.getLineNo() + messages.source->first_line - 1;
    if (!messages.text.empty()) messages.text += '\n';
    messages.text += fmt::format("{}:{}: {}", messages.source->name, line,
                                 std::string_view(diagnostic.getMessage()));
  }
};

/// The parts of LLVM that an assembler consists of.
class Assembler {
 public:
  explicit Assembler(const AssemblyText& source)
      : messages_{.source = &source, .text = {}},
        triple_(triple_name),
        registers_(target().createMCRegInfo(triple_name)),
        info_(target().createMCAsmInfo(*registers_, triple_name, options_)),
        instructions_(target().createMCInstrInfo()),
        subtarget_(target().createMCSubtargetInfo(triple_name, "", features)),
        context_(triple_, info_.get(), registers_.get(), subtarget_.get(), &sources_) {
    sources_.setDiagHandler(Messages::take, &messages_);
    sources_.AddNewSourceBuffer(
        llvm::MemoryBuffer::getMemBufferCopy(llvm::StringRef(source.text), source.name),
        llvm::SMLoc());
    context_.setDiagnosticHandler([this](const llvm::SMDiagnostic& diagnostic, bool /*inline_asm*/,
                                         const llvm::SourceMgr& /*sources*/,
                                         std::vector<const llvm::MDNode*>& /*locations*/) {
      Messages::take(diagnostic, &messages_);
    });
    files_.reset(target().createMCObjectFileInfo(context_, /*PIC=*/false));
    context_.setObjectFileInfo(files_.get());
  }

  Result<Bytes> run() {
    llvm::raw_svector_ostream stream(object_);
    std::unique_ptr<llvm::MCCodeEmitter> emitter(
        target().createMCCodeEmitter(*instructions_, context_));
    std::unique_ptr<llvm::MCAsmBackend> backend(
        target().createMCAsmBackend(*subtarget_, *registers_, options_));
    std::unique_ptr<llvm::MCObjectWriter> writer = backend->createObjectWriter(stream);
    const std::unique_ptr<llvm::MCStreamer> streamer(target().createMCObjectStreamer(
        triple_, context_, std::move(backend), std::move(writer), std::move(emitter), *subtarget_));
    const std::unique_ptr<llvm::MCAsmParser> parser(
        llvm::createMCAsmParser(sources_, context_, *streamer, *info_));
    const std::unique_ptr<llvm::MCTargetAsmParser> target_parser(
        target().createMCAsmParser(*subtarget_, *parser, *instructions_, options_));
    parser->setTargetParser(*target_parser);
    const bool failed = parser->Run(/*NoInitialTextSection=*/false);
    if (failed || !messages_.text.empty())
      return fail("{}", messages_.text.empty() ? "the assembler refuses it" : messages_.text);
    const auto bytes = std::as_bytes(std::span(object_.data(), object_.size()));
    return Bytes(bytes.begin(), bytes.end());
  }

 private:
  Messages messages_;
  llvm::Triple triple_;
  llvm::MCTargetOptions options_;
  llvm::SourceMgr sources_;
  std::unique_ptr<llvm::MCRegisterInfo> registers_;
  std::unique_ptr<llvm::MCAsmInfo> info_;
  std::unique_ptr<llvm::MCInstrInfo> instructions_;
  std::unique_ptr<llvm::MCSubtargetInfo> subtarget_;
  llvm::MCContext context_;
  std::unique_ptr<llvm::MCObjectFileInfo> files_;
  llvm::SmallVector<char, 0> object_;
};

}  // namespace

Result<Bytes> assemble(const AssemblyText& source) {
  return Assembler(source).run();
}

}  // namespace pkvmemu::code
