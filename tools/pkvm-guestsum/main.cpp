// SPDX-License-Identifier: GPL-2.0-only
// Build step: writes the checksum into the header of a guest image (pkvm/guest.h).
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

#include "pkvm/guest.h"

namespace {

using pkvm::guest::ImageHeader;

bool write_checksum(std::vector<char>& bytes) {
  ImageHeader header{};
  if (bytes.size() < sizeof(header)) return false;
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.size % sizeof(std::uint64_t) != 0 || header.size > bytes.size()) return false;
  header.checksum = pkvm::guest::checksum_start;
  for (std::size_t at = 0; at < header.size; at += sizeof(std::uint64_t)) {
    if (at == offsetof(ImageHeader, checksum)) continue;
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof(word));
    header.checksum = pkvm::guest::checksum_step(header.checksum, word);
  }
  std::memcpy(bytes.data(), &header, sizeof(header));
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv, argv + argc);
  if (arguments.size() != 3) {
    std::cerr << "usage: pkvm-guestsum IN OUT\n";
    return 2;
  }
  std::ifstream in(arguments[1], std::ios::binary);
  std::vector<char> bytes{std::istreambuf_iterator<char>(in), {}};
  if (!write_checksum(bytes)) {
    std::cerr << arguments[1] << ": not a guest image\n";
    return 3;
  }
  std::ofstream out(arguments[2], std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return out.good() ? 0 : 3;
}
